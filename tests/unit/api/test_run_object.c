#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/json.h"
#include "api/run_object.h"

#define ID "run_0123456789abcdef0123456789abcdef"

static const struct run_facts facts = {.id = ID,
                                       .language = "python",
                                       .metadata = "{\"a\":\"b\"}",
                                       .metadata_size = 9,
                                       .created_ms = 1790000000900};

/* The object of a run that has ended so; free with buffer_fini(). */
static struct buffer
object_of(const struct result *result)
{
    struct run_text text = {.before = BUFFER_INIT};
    struct buffer out = BUFFER_INIT;
    struct json_fault fault;

    run_object_end(&text, &facts, result);
    buffer_append(&out, text.before.data, text.before.size);
    buffer_append(&out, text.after.data, text.after.size);
    run_text_fini(&text);
    struct json_value *parsed = json_parse(out.data, out.size, &fault);
    assert_non_null(parsed);
    json_free(parsed);
    buffer_putc(&out, '\0');
    return out;
}

static void
the_whole_object_has_this_form(void **state)
{
    struct result result = {
        .verdict = VERDICT_EXITED,
        .exit_code = 0,
        .out = {.kept = {.data = (char[]){"a\xff"}, .size = 2}, .dropped_bytes = 0},
        .err = {.kept = {.data = (char[]){"e\n"}, .size = 2}, .dropped_bytes = 5},
        .queue_us = 100250,
        .exec_us = 1000500,
        .cpu_us = 900,
        .memory_peak_bytes = 4096,
    };
    (void)state;
    struct buffer out = object_of(&result);
    assert_string_equal(
        out.data,
        "{\"id\":\"" ID "\",\"object\":\"run\",\"status\":\"succeeded\",\"language\":\"python\","
        "\"stdout\":\"a\xef\xbf\xbd\",\"stderr\":\"e\\n\",\"exit_code\":0,"
        "\"truncation\":{\"stdout_dropped_bytes\":0,\"stderr_dropped_bytes\":5},\"artifacts\":[],"
        "\"usage\":{\"queue_ms\":100.250,\"exec_ms\":1000.500,\"cpu_ms\":0.900,"
        "\"peak_memory_bytes\":4096,\"output_bytes\":9},\"error\":null,\"metadata\":{\"a\":\"b\"},"
        "\"created_at\":1790000000,\"started_at\":1790000001,\"finished_at\":1790000002}");
    buffer_fini(&out);
}

static void
each_end_has_a_status_and_what_was_stopped_an_error(void **state)
{
    static const struct {
        struct result result;
        const char *status, *error;
    } rows[] = {
        {{.verdict = VERDICT_EXITED}, "succeeded", "\"error\":null"},
        {{.verdict = VERDICT_EXITED, .exit_code = 1}, "failed", "\"error\":null"},
        {{.verdict = VERDICT_CRASHED}, "failed", "{\"code\":\"crashed\""},
        {{.verdict = VERDICT_TIMED_OUT}, "timed_out", "{\"code\":\"timed_out\""},
        {{.verdict = VERDICT_CPU_LIMIT}, "cpu_limit", "{\"code\":\"cpu_limit\""},
        {{.verdict = VERDICT_MEMORY_LIMIT}, "memory_limit", "{\"code\":\"memory_limit\""},
        {{.verdict = VERDICT_CANCELLED}, "cancelled", "\"message\":\"The run was cancelled.\""},
        {{.verdict = VERDICT_CRASHED, .detail = "trap: x"}, "failed", "\"message\":\"trap: x\""},
        {{.error = ERR_WORKER_LOST}, "error", "{\"code\":\"worker_lost\""},
        {{.error = ERR_QUEUE_TIMEOUT}, "error", "\"type\":\"server_error\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char status[64];
        struct buffer out = object_of(&rows[i].result);
        snprintf(status, sizeof(status), "\"status\":\"%s\"", rows[i].status);
        assert_non_null(strstr(out.data, status));
        assert_non_null(strstr(out.data, rows[i].error));
        buffer_fini(&out);
    }
}

static void
one_that_never_ran_was_never_started(void **state)
{
    const struct result result = {.error = ERR_QUEUE_TIMEOUT, .exit_code = -1};
    (void)state;
    struct buffer out = object_of(&result);
    assert_non_null(strstr(out.data, "\"exit_code\":null"));
    assert_non_null(strstr(out.data, "\"started_at\":null,\"finished_at\":1790000000}"));
    buffer_fini(&out);
}

static void
an_open_run_is_queued_or_running(void **state)
{
    struct buffer out = BUFFER_INIT;
    (void)state;
    run_object_put_open(&out, &facts, 0);
    buffer_putc(&out, '\0');
    assert_non_null(strstr(out.data, "\"status\":\"queued\""));
    assert_non_null(strstr(out.data, "\"started_at\":null,\"finished_at\":null}"));
    out.size = 0;
    run_object_put_open(&out, &facts, 1790000001000000);
    buffer_putc(&out, '\0');
    assert_non_null(strstr(out.data, "\"status\":\"running\""));
    assert_non_null(strstr(out.data, "\"started_at\":1790000001,"));
    buffer_fini(&out);
}

static void
an_id_has_its_prefix_and_32_digits(void **state)
{
    (void)state;
    assert_true(run_id_is_good(ID));
    assert_false(run_id_is_good(""));
    assert_false(run_id_is_good("run_"));
    assert_false(run_id_is_good("run_0123456789abcdef0123456789abcde"));
    assert_false(run_id_is_good(ID "0"));
    assert_false(run_id_is_good("run_0123456789ABCDEF0123456789abcdef"));
    assert_false(run_id_is_good("file0123456789abcdef0123456789abcdef"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_object_has_this_form),
        cmocka_unit_test(each_end_has_a_status_and_what_was_stopped_an_error),
        cmocka_unit_test(one_that_never_ran_was_never_started),
        cmocka_unit_test(an_open_run_is_queued_or_running),
        cmocka_unit_test(an_id_has_its_prefix_and_32_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
