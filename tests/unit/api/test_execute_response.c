#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/execute_response.h"

static void
assert_has(const struct result *result, const char *expected)
{
    struct buffer out = BUFFER_INIT;
    execute_response_put(result, result->id, 9876, &out);
    buffer_putc(&out, '\0');
    if (!strstr(out.data, expected))
        fail_msg("no %s in %s", expected, out.data);
    buffer_fini(&out);
}

static void
the_whole_answer_has_this_form(void **state)
{
    (void)state;
    struct result result = {
        .id = "00ff",
        .verdict = VERDICT_EXITED,
        .exit_code = 3,
        .out = {.kept = {.data = (char[]){"a\xff"}, .size = 2}, .dropped_bytes = 0},
        .err = {.kept = {.data = (char[]){"e\n"}, .size = 2}, .dropped_bytes = 5},
        .queue_us = 250,
        .exec_us = 1500,
        .cpu_us = 900,
        .memory_peak_bytes = 4096,
    };
    assert_has(&result,
               "{\"stdout\":\"a\xef\xbf\xbd\",\"stderr\":\"e\\n\",\"exit_code\":3,"
               "\"timed_out\":false,\"duration_ms\":2,\"id\":\"00ff\",\"verdict\":\"exited\","
               "\"stdout_truncated\":false,\"stderr_truncated\":true,\"stdout_dropped_bytes\":0,"
               "\"stderr_dropped_bytes\":5,\"cpu_ms\":0.900,\"exec_ms\":1.500,\"queue_ms\":0.250,"
               "\"total_ms\":9.876,\"memory_peak_bytes\":4096,\"artifacts\":[]}");
}

static void
only_programs_that_ended_by_themselves_have_an_exit_code(void **state)
{
    (void)state;
    static const struct {
        enum verdict verdict;
        int exit_code;
        const char *expected;
    } rows[] = {
        {VERDICT_EXITED, 0, "\"exit_code\":0,\"timed_out\":false"},
        {VERDICT_EXITED, 255, "\"exit_code\":255,\"timed_out\":false"},
        {VERDICT_MEMORY_LIMIT, 1, "\"exit_code\":1,\"timed_out\":false"},
        {VERDICT_MEMORY_LIMIT, -1, "\"exit_code\":null,\"timed_out\":false"},
        {VERDICT_TIMED_OUT, 0, "\"exit_code\":null,\"timed_out\":true"},
        {VERDICT_CPU_LIMIT, 0, "\"exit_code\":null,\"timed_out\":false"},
        {VERDICT_CRASHED, 0, "\"exit_code\":null,\"timed_out\":false"},
        {VERDICT_CANCELLED, 0, "\"exit_code\":null,\"timed_out\":false"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct result result = {.verdict = rows[i].verdict, .exit_code = rows[i].exit_code};
        assert_has(&result, rows[i].expected);
    }
}

static void
a_detail_stands_only_where_there_is_one(void **state)
{
    (void)state;
    const struct result result = {.verdict = VERDICT_CRASHED, .detail = "trap: unreachable"};
    assert_has(&result, "\"verdict\":\"crashed\",\"detail\":\"trap: unreachable\",");
}

static void
a_peak_of_linear_memory_stands_only_where_it_is_known(void **state)
{
    (void)state;
    const struct result known = {.verdict = VERDICT_EXITED, .linear_memory_peak_bytes = 65536};
    const struct result unknown = {.verdict = VERDICT_EXITED};
    assert_has(&known, "\"memory_peak_bytes\":0,\"linear_memory_peak_bytes\":65536,\"");
    assert_has(&unknown, "\"memory_peak_bytes\":0,\"artifacts\":[");
}

static void
artifacts_are_base64_and_what_was_refused_has_a_reason(void **state)
{
    (void)state;
    struct result result = {.verdict = VERDICT_EXITED};
    assert_int_equal(artifacts_add(&result.artifacts, "a\"b", 3, "\0\xff", 2), 0);
    assert_int_equal(artifacts_add(&result.artifacts, "d/e", 3, NULL, 0), 0);
    assert_has(&result, "\"artifacts\":[{\"name\":\"a\\\"b\",\"size\":2,"
                        "\"content_base64\":\"AP8=\"},"
                        "{\"name\":\"d/e\",\"size\":0,\"content_base64\":\"\"}]}");
    assert_int_equal(
        artifacts_refuse(&result.artifacts, "big", 3, 1ull << 40, ARTIFACT_FAULT_TOO_LARGE), 0);
    assert_int_equal(artifacts_refuse(&result.artifacts, "\n\xff", 2, 0, ARTIFACT_FAULT_BAD_NAME),
                     0);
    result.artifacts.refused_total = 9;
    assert_has(&result, "],\"artifacts_refused\":[{\"name\":\"big\",\"size\":1099511627776,"
                        "\"reason\":\"too_large\"},{\"name\":\"\\n\xef\xbf\xbd\",\"size\":0,"
                        "\"reason\":\"bad_name\"}],\"artifacts_refused_count\":9}");
    artifacts_fini(&result.artifacts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_answer_has_this_form),
        cmocka_unit_test(only_programs_that_ended_by_themselves_have_an_exit_code),
        cmocka_unit_test(a_detail_stands_only_where_there_is_one),
        cmocka_unit_test(a_peak_of_linear_memory_stands_only_where_it_is_known),
        cmocka_unit_test(artifacts_are_base64_and_what_was_refused_has_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
