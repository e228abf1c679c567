/* What the verdicts are on the surfaces of agent.h and snippet.h, those too that take long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "api/agent.h"
#include "api/snippet.h"

typedef void put_fn(const struct result *result, struct buffer *out);

static void
assert_is(put_fn *put, const struct result *result, const char *expected)
{
    struct buffer out = BUFFER_INIT;
    put(result, &out);
    buffer_putc(&out, '\0');
    assert_string_equal(out.data, expected);
    buffer_fini(&out);
}

static void
an_agent_hears_of_each_verdict_by_status_and_return_code(void **state)
{
    (void)state;
    static const struct {
        enum verdict verdict;
        int exit_code;
        const char *status, *code, *name;
    } rows[] = {
        {VERDICT_EXITED, 0, "success", "0", "exited"},
        {VERDICT_EXITED, 3, "error", "3", "exited"},
        {VERDICT_MEMORY_LIMIT, 1, "error", "1", "memory_limit"},
        {VERDICT_MEMORY_LIMIT, -1, "failed", "null", "memory_limit"},
        {VERDICT_TIMED_OUT, 0, "timeout", "null", "timed_out"},
        {VERDICT_CPU_LIMIT, 0, "timeout", "null", "cpu_limit"},
        {VERDICT_CRASHED, 0, "failed", "null", "crashed"},
        {VERDICT_CANCELLED, 0, "failed", "null", "cancelled"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct result result = {
            .verdict = rows[i].verdict, .exit_code = rows[i].exit_code, .exec_us = 1050000};
        char expected[256];
        snprintf(expected, sizeof(expected),
                 "{\"status\":\"%s\",\"stdout\":\"\",\"stderr\":\"\",\"execution_time\":1.050000,"
                 "\"return_code\":%s,\"verdict\":\"%s\"}",
                 rows[i].status, rows[i].code, rows[i].name);
        assert_is(agent_put, &result, expected);
    }
}

static void
a_snippet_succeeds_only_with_exit_code_0(void **state)
{
    (void)state;
    const struct result good = {.verdict = VERDICT_EXITED,
                                .out.kept = {.data = (char[]){"2\n"}, .size = 2},
                                .err.kept = {.data = (char[]){"w"}, .size = 1},
                                .exec_us = 123};
    struct result bad = good;
    bad.exit_code = 1;
    assert_is(snippet_put, &good,
              "{\"output\":\"2\\n\",\"error\":null,\"execution_time\":0.000123,\"success\":true,"
              "\"verdict\":\"exited\"}");
    assert_is(snippet_put, &bad,
              "{\"output\":\"2\\n\",\"error\":\"w\",\"execution_time\":0.000123,\"success\":false,"
              "\"verdict\":\"exited\"}");
    bad.err.kept.size = 0;
    assert_is(snippet_put, &bad,
              "{\"output\":\"2\\n\",\"error\":\"The program ended with exit code 1.\\n\","
              "\"execution_time\":0.000123,\"success\":false,\"verdict\":\"exited\"}");
}

static void
a_snippet_that_was_stopped_is_told_why_before_what_it_said(void **state)
{
    (void)state;
    static const enum verdict verdicts[] = {VERDICT_TIMED_OUT, VERDICT_CPU_LIMIT, VERDICT_CRASHED,
                                            VERDICT_CANCELLED};
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        const struct result result = {.verdict = verdicts[i],
                                      .detail = "why",
                                      .err.kept = {.data = (char[]){"said"}, .size = 4}};
        char expected[256];
        snprintf(expected, sizeof(expected),
                 "{\"output\":\"\",\"error\":\"%s (why)\\nsaid\",\"execution_time\":0.000000,"
                 "\"success\":false,\"verdict\":\"%s\"}",
                 verdict_text(verdicts[i]), verdict_name(verdicts[i]));
        assert_is(snippet_put, &result, expected);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_agent_hears_of_each_verdict_by_status_and_return_code),
        cmocka_unit_test(a_snippet_succeeds_only_with_exit_code_0),
        cmocka_unit_test(a_snippet_that_was_stopped_is_told_why_before_what_it_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
