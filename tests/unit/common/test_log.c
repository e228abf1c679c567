#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include <jansson.h>

#include "common/log.h"

static char text[65536];

/* Runs write_lines with standard error in a file, and reads what it wrote. */
static void
capture(void (*write_lines)(void))
{
    char path[] = "/tmp/retort-log-XXXXXX";
    int fd = mkstemp(path), kept = dup(STDERR_FILENO);
    assert_true(fd >= 0 && kept >= 0);
    unlink(path);
    dup2(fd, STDERR_FILENO);
    write_lines();
    dup2(kept, STDERR_FILENO);
    close(kept);
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    close(fd);
}

static json_t *
parse_line(void)
{
    json_error_t error;
    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!line)
        fail_msg("%s: %s", error.text, text);
    return line;
}

static void
write_one(void)
{
    LOG(LOG_INFO, "job_finished", {"id", LOG_STR("a\"\\\n\x01\xff\xe2\x82\xac")},
        {"count", LOG_UINT(UINT64_MAX)}, {"delta", LOG_INT(-5)}, {"nothing", LOG_STR(NULL)});
}

static void
test_a_line_is_one_json_object_with_its_values_escaped(void **state)
{
    (void)state;
    log_init("tester", LOG_INFO);
    capture(write_one);
    assert_true(strchr(text, '\n') == text + strlen(text) - 1);
    assert_non_null(strstr(text, "\"count\":18446744073709551615"));
    /* Larger than jansson's integers. */
    memcpy(strstr(text, "18446744073709551615"), "1                   ", 20);
    json_t *line = parse_line();
    assert_string_equal(json_string_value(json_object_get(line, "event")), "job_finished");
    assert_string_equal(json_string_value(json_object_get(line, "program")), "tester");
    assert_string_equal(json_string_value(json_object_get(line, "level")), "info");
    assert_string_equal(json_string_value(json_object_get(line, "id")),
                        "a\"\\\n\x01\xef\xbf\xbd\xe2\x82\xac");
    assert_int_equal(json_integer_value(json_object_get(line, "delta")), -5);
    assert_true(json_is_null(json_object_get(line, "nothing")));
    const char *time = json_string_value(json_object_get(line, "time"));
    assert_int_equal(strlen(time), strlen("2026-01-01T00:00:00.000Z"));
    assert_int_equal(time[23], 'Z');
    json_decref(line);
}

static void
write_long(void)
{
    static char much[8000];
    memset(much, 'x', sizeof(much) - 1);
    LOG(LOG_INFO, "e", {"a", LOG_STR("kept")}, {"b", LOG_STR(much)}, {"c", LOG_INT(1)});
}

static void
test_a_line_that_is_too_long_is_cut_at_a_value_and_says_so(void **state)
{
    (void)state;
    log_init("tester", LOG_INFO);
    capture(write_long);
    assert_true(strlen(text) <= 4096);
    json_t *line = parse_line();
    assert_string_equal(json_string_value(json_object_get(line, "a")), "kept");
    assert_null(json_object_get(line, "b"));
    assert_null(json_object_get(line, "c"));
    assert_true(json_is_true(json_object_get(line, "cut")));
    json_decref(line);
}

static void
write_below(void)
{
    struct err err = ERR_INIT;
    (void)err_set(&err, ERR_CONFIG, 0, "why");
    LOG(LOG_INFO, "quiet", {"x", LOG_INT(1)});
    log_err(LOG_WARNING, "loud", &err);
}

static void
test_lines_below_the_threshold_are_not_written(void **state)
{
    (void)state;
    log_init("tester", LOG_WARNING);
    capture(write_below);
    json_t *line = parse_line();
    assert_string_equal(json_string_value(json_object_get(line, "event")), "loud");
    assert_string_equal(json_string_value(json_object_get(line, "error")), "config");
    assert_string_equal(json_string_value(json_object_get(line, "message")), "why");
    json_decref(line);
}

static void
test_levels_have_names(void **state)
{
    enum log_level level;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(log_level_from_name("debug", &level, &err), 0);
    assert_int_equal(level, LOG_DEBUG);
    assert_int_equal(log_level_from_name("loud", &level, &err), -1);
    assert_non_null(strstr(err.text, "loud"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_is_one_json_object_with_its_values_escaped),
        cmocka_unit_test(test_a_line_that_is_too_long_is_cut_at_a_value_and_says_so),
        cmocka_unit_test(test_lines_below_the_threshold_are_not_written),
        cmocka_unit_test(test_levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
