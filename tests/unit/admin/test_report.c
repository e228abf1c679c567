/* One report, for people and for programs; and one for which there is no memory. */
/* ldflags: -Wl,--wrap=reallocarray */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin/report.h"

static int calls_left = -1; /* -1: all succeed */

void *__wrap_reallocarray(void *data, size_t count, size_t size);
void *__real_reallocarray(void *data, size_t count, size_t size);

void *
__wrap_reallocarray(void *data, size_t count, size_t size)
{
    if (calls_left == 0)
        return NULL;
    if (calls_left > 0)
        calls_left--;
    return __real_reallocarray(data, count, size);
}

static struct report *
fill(void)
{
    static const struct report_usage usages[] = {{"python", 1, 2}, {"c", 0, 3}};
    struct report *report = report_new();

    assert_non_null(report);
    report_record(report, "one");
    report_string(report, "name", "a\x1b");
    report_bytes(report, "memory_bytes", 1536);
    report_bool(report, "good", true);
    report_table(report, "many");
    for (int i = 0; i < 2; i++) {
        report_row(report);
        report_string(report, "id", i ? "ä" : "long");
        report_int(report, "depth", i ? -7 : 1000);
        report_ms(report, "age_ms", i ? 1500 : 7);
        report_usages(report, "languages", usages, i ? 2 : 0);
        report_time(report, "since", 1700000000123);
    }
    report_table(report, "none");
    report_record(report, "last");
    report_none(report, "left_ms");
    report_excerpt(report, "bytes", "\xff", 1);
    report_lines(report, "code", "a\nb", 3);
    return report;
}

static char *
print(const struct report *report, bool json)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    report_print(report, json, out);
    fclose(out);
    return text;
}

static void
people_get_aligned_columns_with_units(void **state)
{
    struct report *report = fill();
    char *text = print(report, false);

    (void)state;
    assert_string_equal(text, "one\n"
                              "name    a\\x1b\n"
                              "memory  1.5 KiB\n"
                              "good    yes\n"
                              "\n"
                              "many\n"
                              "ID    DEPTH    AGE  LANGUAGES          SINCE\n"
                              "long   1000   7 ms  -                  2023-11-14 22:13:20Z\n"
                              "ä        -7  1.5 s  python 1/2, c 0/3  2023-11-14 22:13:20Z\n"
                              "\n"
                              "none: none\n"
                              "\n"
                              "last\n"
                              "left   -\n"
                              "bytes  \\xff\n"
                              "code   \n"
                              "a\nb\n");
    free(text);
    report_free(report);
}

static void
programs_get_one_object(void **state)
{
    struct report *report = fill();
    char *text = print(report, true);

    (void)state;
    assert_string_equal(
        text,
        "{\"one\":{\"name\":\"a\\u001b\",\"memory_bytes\":1536,\"good\":true},"
        "\"many\":[{\"id\":\"long\",\"depth\":1000,\"age_ms\":7,\"languages\":[],"
        "\"since\":1700000000123},{\"id\":\"ä\",\"depth\":-7,\"age_ms\":1500,\"languages\":"
        "[{\"language\":\"python\",\"busy\":1,\"slots\":2},"
        "{\"language\":\"c\",\"busy\":0,\"slots\":3}],\"since\":1700000000123}],"
        "\"none\":[],\"last\":{\"left_ms\":null,\"bytes\":\"\\\\xff\",\"code\":\"a\\u000ab\"}}"
        "\n");
    free(text);
    report_free(report);
}

static void
assert_shown(int64_t ms, const char *expected)
{
    struct report *report = report_new();

    report_record(report, "r");
    report_ms(report, "x_ms", ms);
    char *text = print(report, false);
    assert_string_equal(text + strlen("r\nx  "), expected);
    free(text);
    report_free(report);
}

static void
a_time_has_the_unit_that_suits_it(void **state)
{
    (void)state;
    assert_shown(0, "0 ms\n");
    assert_shown(999, "999 ms\n");
    assert_shown(-1500, "-1.5 s\n");
    assert_shown(99999, "100.0 s\n");
    assert_shown(100000, "1 min\n");
    assert_shown(7200000, "2 h\n");
    assert_shown(172800000, "2 d\n");
    assert_shown(INT64_MIN, "-106751991167 d\n");
    assert_shown(INT64_MAX, "106751991167 d\n");
}

static void
without_memory_it_has_failed_and_can_be_freed(void **state)
{
    (void)state;
    for (int n = 0;; n++) {
        calls_left = n;
        struct report *report = fill();
        bool done = !report_failed(report);
        calls_left = -1;
        report_free(report);
        if (done) {
            assert_true(n > 20);
            return;
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_get_aligned_columns_with_units),
        cmocka_unit_test(programs_get_one_object),
        cmocka_unit_test(a_time_has_the_unit_that_suits_it),
        cmocka_unit_test(without_memory_it_has_failed_and_can_be_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
