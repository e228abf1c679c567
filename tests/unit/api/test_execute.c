/* link: tests/unit/api/fake_queue.c */
/* ldflags: -Wl,--wrap=queue_submit -Wl,--wrap=queue_request_cancel */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "api/app.h"
#include "api/execute.h"
#include "common/log.h"
#include "tests/unit/api/fake_queue.h"

static const struct config config = {.max_exec_timeout_ms = 5000,
                                     .max_output_bytes = 1000,
                                     .cpu_time_limit_sec = 2,
                                     .memory_limit_mb = 256,
                                     .max_code_bytes = 1000,
                                     .max_stdin_bytes = 1000,
                                     .max_queue_depth = 7,
                                     .max_queue_wait_ms = 1234};

struct fixture {
    struct app app;
    struct http_request request;
    struct exchange exchange;
    unsigned answers;
};

static void
on_answer(struct exchange *exchange)
{
    ((struct fixture *)exchange->owner)->answers++;
    buffer_putc(&exchange->body, '\0');
    buffer_putc(&exchange->headers, '\0');
}

static void
fixture_post(struct fixture *fixture, const char *body)
{
    fake_queue_reset();
    *fixture = (struct fixture){
        .app = {.config = &config},
        .request = {.method = HTTP_METHOD_POST, .method_name = "POST", .path = "/v1/execute"},
        .exchange = {.on_answer = on_answer}};
    fixture->exchange.app = &fixture->app;
    fixture->exchange.owner = fixture;
    buffer_puts(&fixture->request.body, body);
    exchange_begin(&fixture->exchange, &fixture->request);
}

static void
fixture_fini(struct fixture *fixture)
{
    buffer_fini(&fixture->request.body);
    exchange_fini(&fixture->exchange);
    fake_queue_reset();
}

static void
assert_answered(const struct fixture *fixture, int status, const char *word)
{
    assert_int_equal(fixture->answers, 1);
    assert_int_equal(fixture->exchange.status, status);
    if (!strstr(fixture->exchange.body.data, word))
        fail_msg("no %s in %s", word, fixture->exchange.body.data);
}

static void
a_program_is_submitted_and_its_result_answered(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_post(&fixture, "{\"code\":\"print(2)\",\"stdin\":\"in\",\"timeout_ms\":70}");
    execute_handle(&fixture.exchange);
    assert_int_equal(fixture.answers, 0);
    assert_int_equal(fake_queue.submitted, 1);
    assert_string_equal(fake_queue.job.code.data, "print(2)");
    assert_string_equal(fake_queue.job.input.data, "in");
    assert_int_equal(fake_queue.job.limits.timeout_ms, 70);
    assert_int_equal(fake_queue.how.max_depth, 7);
    assert_int_equal(fake_queue.how.max_wait_ms, 1234);
    assert_false(fake_queue.how.at_head);
    assert_string_equal(fixture.exchange.job_id, fake_queue.job.id);
    fake_queue_answer_text("2\n");
    assert_answered(&fixture, 200, "{\"stdout\":\"2\\n\",\"stderr\":\"\",\"exit_code\":0,");
    assert_non_null(strstr(fixture.exchange.body.data, fixture.exchange.job_id));
    assert_null(fixture.exchange.abandon);
    fixture_fini(&fixture);
}

static void
an_invalid_body_is_answered_without_a_job(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_post(&fixture, "{}");
    execute_handle(&fixture.exchange);
    assert_answered(&fixture, 422, "\"loc\":[\"body\",\"code\"]");
    assert_int_equal(fake_queue.submitted, 0);
    fixture_fini(&fixture);
}

static void
too_much_code_is_413_with_the_limits_name(void **state)
{
    (void)state;
    struct fixture fixture;
    char body[1100];
    snprintf(body, sizeof(body), "{\"code\":\"%01001d\"}", 0);
    fixture_post(&fixture, body);
    execute_handle(&fixture.exchange);
    assert_answered(&fixture, 413, "MAX_CODE_BYTES");
    assert_non_null(strstr(fixture.exchange.body.data, "\"code\":\"too_large\""));
    fixture_fini(&fixture);
}

static void
errors_keep_their_status_name_and_sentence(void **state)
{
    (void)state;
    static const struct {
        enum err_code code;
        int status;
        const char *name;
    } rows[] = {
        {ERR_QUEUE_FULL, 503, "queue_full"},   {ERR_QUEUE_TIMEOUT, 504, "queue_timeout"},
        {ERR_WORKER_LOST, 502, "worker_lost"}, {ERR_SANDBOX_ERROR, 500, "sandbox_error"},
        {ERR_UNAVAILABLE, 503, "unavailable"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct err err = {.code = rows[i].code, .text = "A sentence."};
        const struct result result = {.error = rows[i].code, .detail = "A sentence."};
        for (int way = 0; way < 3; way++) {
            struct fixture fixture;
            fixture_post(&fixture, "{\"code\":\"x\"}");
            if (way == 0)
                fake_queue.refuse = err;
            execute_handle(&fixture.exchange);
            if (way > 0)
                fake_queue_answer(way == 1 ? NULL : &result, way == 1 ? &err : NULL);
            char expected[64];
            snprintf(expected, sizeof(expected), "\"error\":{\"code\":\"%s\"", rows[i].name);
            assert_answered(&fixture, rows[i].status, expected);
            assert_answered(&fixture, rows[i].status, "{\"detail\":\"A sentence.\",");
            assert_int_equal(strstr(fixture.exchange.headers.data, "Retry-After: 1\r\n") != NULL,
                             rows[i].status == 503);
            fixture_fini(&fixture);
        }
    }
}

static void
a_hang_up_cancels_the_job(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_post(&fixture, "{\"code\":\"x\"}");
    execute_handle(&fixture.exchange);
    exchange_abandon(&fixture.exchange);
    assert_int_equal(fake_queue.cancelled, 1);
    assert_int_equal(fixture.answers, 0);
    assert_int_equal(fixture.exchange.status, 499);
    fixture_fini(&fixture);
}

static void
a_sane_request_id_is_kept_and_any_other_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        bool kept;
    } rows[] = {
        {"abc-123_X.y:z", true}, {"", false}, {"a b", false}, {"a\"b", false}, {"\xc3\xa9", false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct exchange exchange = {.status = 0};
        struct http_request request = {.header_count = 1};
        request.headers[0] = (struct http_header){"x-request-id", rows[i].given};
        exchange_begin(&exchange, &request);
        assert_int_equal(strcmp(exchange.request_id, rows[i].given) == 0, rows[i].kept);
        assert_true(strlen(exchange.request_id) > 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_is_submitted_and_its_result_answered),
        cmocka_unit_test(an_invalid_body_is_answered_without_a_job),
        cmocka_unit_test(too_much_code_is_413_with_the_limits_name),
        cmocka_unit_test(errors_keep_their_status_name_and_sentence),
        cmocka_unit_test(a_hang_up_cancels_the_job),
        cmocka_unit_test(a_sane_request_id_is_kept_and_any_other_replaced),
    };
    log_init("test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
