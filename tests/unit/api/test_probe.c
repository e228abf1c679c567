/* link: tests/unit/api/fake_queue.c */
/* ldflags: -Wl,--wrap=queue_submit -Wl,--wrap=queue_request_cancel */
/* ldflags: -Wl,--wrap=clock_monotonic_us -Wl,--wrap=queue_client_connected */
/* ldflags: -Wl,--wrap=queue_client_fleet */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/app.h"
#include "api/exchange.h"
#include "api/fleet.h"
#include "common/log.h"
#include "tests/unit/api/fake_queue.h"

#define CLIENTS 3

static const struct config config = {.max_exec_timeout_ms = 1000,
                                     .max_output_bytes = 1000,
                                     .memory_limit_mb = 256,
                                     .max_queue_depth = 7};
static uint64_t now_us;

uint64_t __wrap_clock_monotonic_us(void);

uint64_t
__wrap_clock_monotonic_us(void)
{
    return now_us;
}

static bool connected;

bool __wrap_queue_client_connected(const struct queue_client *client);

bool
__wrap_queue_client_connected(const struct queue_client *client)
{
    (void)client;
    return connected;
}

static struct queue_fleet fleet;

const struct queue_fleet *__wrap_queue_client_fleet(const struct queue_client *client);

const struct queue_fleet *
__wrap_queue_client_fleet(const struct queue_client *client)
{
    (void)client;
    return &fleet;
}

struct fixture {
    struct app app;
    struct http_request request;
    struct exchange exchanges[CLIENTS];
    unsigned answers;
};

static void
on_answer(struct exchange *exchange)
{
    ((struct fixture *)exchange->owner)->answers++;
    buffer_putc(&exchange->body, '\0');
}

static void
fixture_init(struct fixture *fixture)
{
    fake_queue_reset();
    now_us = 1000000;
    connected = true;
    fleet = (struct queue_fleet){0};
    *fixture = (struct fixture){
        .app = {.config = &config, .languages = {{{"python", 0}}, 1}},
        .request = {.method = HTTP_METHOD_GET, .method_name = "GET", .path = "/readyz"}};
    for (int i = 0; i < CLIENTS; i++)
        fixture->exchanges[i] =
            (struct exchange){.app = &fixture->app, .on_answer = on_answer, .owner = fixture};
}

static struct exchange *
ask(struct fixture *fixture, int client)
{
    struct exchange *exchange = &fixture->exchanges[client];
    exchange_begin(exchange, &fixture->request);
    probe_ready(exchange);
    return exchange;
}

static void
fixture_fini(struct fixture *fixture)
{
    probe_fini(&fixture->app.probe);
    for (int i = 0; i < CLIENTS; i++)
        exchange_fini(&fixture->exchanges[i]);
    fake_queue_reset();
}

static void
readiness_is_a_program_that_ran(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    struct exchange *exchange = ask(&fixture, 0);
    assert_true(fake_queue.how.at_head);
    assert_int_equal(fake_queue.job.limits.timeout_ms, 1000);
    fake_queue_answer_text("ready\n");
    assert_int_equal(exchange->status, 200);
    assert_non_null(strstr(exchange->body.data, "\"status\":\"ready\""));
    fixture_fini(&fixture);
}

static void
a_concurrent_request_shares_the_probe(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    for (int i = 0; i < CLIENTS; i++)
        ask(&fixture, i);
    assert_int_equal(fake_queue.submitted, 1);
    exchange_abandon(&fixture.exchanges[1]);
    assert_int_equal(fake_queue.cancelled, 0);
    fake_queue_answer_text("ready\n");
    assert_int_equal(fixture.answers, CLIENTS - 1);
    assert_int_equal(fixture.exchanges[0].status, 200);
    assert_int_equal(fixture.exchanges[2].status, 200);
    fixture_fini(&fixture);
}

static void
success_is_kept_for_ten_seconds(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    ask(&fixture, 0);
    fake_queue_answer_text("ready\n");
    now_us += PROBE_SUCCESS_MS * 1000 - 1;
    assert_int_equal(ask(&fixture, 0)->status, 200);
    assert_int_equal(fake_queue.submitted, 1);
    now_us += 1;
    assert_int_equal(ask(&fixture, 0)->status, 0);
    assert_int_equal(fake_queue.submitted, 2);
    fixture_fini(&fixture);
}

static void
failure_is_kept_for_one_second_and_has_a_reason(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fake_queue.refuse = (struct err){.code = ERR_UNAVAILABLE, .text = "Redis is away."};
    assert_int_equal(ask(&fixture, 0)->status, 503);
    assert_non_null(strstr(fixture.exchanges[0].body.data, "Redis is away."));
    fake_queue.refuse.code = ERR_NONE;
    now_us += PROBE_FAILURE_MS * 1000 - 1;
    assert_int_equal(ask(&fixture, 0)->status, 503);
    now_us += 1;
    assert_int_equal(ask(&fixture, 0)->status, 0);
    assert_int_equal(fake_queue.submitted, 1);
    fixture_fini(&fixture);
}

static void
a_job_of_anybody_proves_it_for_ten_seconds(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    probe_note_run(&fixture.app.probe);
    now_us += PROBE_SUCCESS_MS * 1000 - 1;
    assert_int_equal(ask(&fixture, 0)->status, 200);
    assert_non_null(strstr(fixture.exchanges[0].body.data, "\"age_ms\":9999.999"));
    assert_int_equal(fake_queue.submitted, 0);
    now_us += 1;
    assert_int_equal(ask(&fixture, 0)->status, 0);
    assert_int_equal(fake_queue.submitted, 1);
    fixture_fini(&fixture);
}

static void
a_job_that_ends_after_a_failure_is_readiness(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    probe_note_run(&fixture.app.probe);
    now_us += PROBE_SUCCESS_MS * 1000;
    fake_queue.refuse = (struct err){.code = ERR_UNAVAILABLE, .text = "No."};
    assert_int_equal(ask(&fixture, 0)->status, 503);
    assert_int_equal(ask(&fixture, 1)->status, 503);
    probe_note_run(&fixture.app.probe);
    assert_int_equal(ask(&fixture, 1)->status, 200);
    fixture_fini(&fixture);
}

static void
without_redis_it_is_not_ready_at_once(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    probe_note_run(&fixture.app.probe);
    connected = false;
    assert_int_equal(ask(&fixture, 0)->status, 503);
    assert_non_null(strstr(fixture.exchanges[0].body.data, "Redis"));
    connected = true;
    assert_int_equal(ask(&fixture, 0)->status, 200);
    assert_int_equal(fake_queue.submitted, 0);
    fixture_fini(&fixture);
}

static void
each_language_needs_a_live_worker(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.app.languages = (struct languages){{{"python", 0}, {"lua", 0}}, 2};
    probe_note_run(&fixture.app.probe);
    fleet = (struct queue_fleet){.seen_us = now_us,
                                 .language_count = 2,
                                 .languages = {{.name = "python", .workers = 1}, {.name = "lua"}}};
    assert_int_equal(ask(&fixture, 0)->status, 503);
    assert_non_null(strstr(fixture.exchanges[0].body.data, "serves the language lua."));
    fleet.languages[1].workers = 1;
    assert_int_equal(ask(&fixture, 0)->status, 200);
    fleet.language_count = 1; /* nobody has ever heard of it */
    assert_int_equal(ask(&fixture, 0)->status, 503);
    now_us += FLEET_FRESH_MS * 1000; /* that is too long ago to say so */
    assert_int_equal(ask(&fixture, 0)->status, 200);
    assert_int_equal(fake_queue.submitted, 0);
    fixture_fini(&fixture);
}

static void
a_view_from_before_the_proof_is_no_objection(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fleet = (struct queue_fleet){
        .seen_us = now_us, .language_count = 1, .languages = {{.name = "python"}}};
    now_us += 1;
    probe_note_run(&fixture.app.probe);
    assert_int_equal(ask(&fixture, 0)->status, 200);
    fleet.seen_us = now_us;
    assert_int_equal(ask(&fixture, 0)->status, 503);
    fixture_fini(&fixture);
}

static void
without_python_workers_are_enough(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.app.languages = (struct languages){{{"lua", 0}}, 1};
    fleet = (struct queue_fleet){
        .seen_us = now_us, .language_count = 1, .languages = {{.name = "lua", .workers = 1}}};
    assert_int_equal(ask(&fixture, 0)->status, 200);
    fleet.languages[0].workers = 0;
    assert_int_equal(ask(&fixture, 0)->status, 503);
    assert_int_equal(fake_queue.submitted, 0);
    fixture_fini(&fixture);
}

static void
programs_that_fail_are_not_readiness(void **state)
{
    (void)state;
    const struct err lost = {.code = ERR_WORKER_LOST, .text = "The worker is lost."};
    const struct result results[] = {
        {.error = ERR_SANDBOX_ERROR},
        {.verdict = VERDICT_EXITED, .exit_code = 1},
        {.verdict = VERDICT_EXITED, .out = {.kept = {.data = (char[]){"other\n"}, .size = 6}}},
        {.verdict = VERDICT_TIMED_OUT, .out = {.kept = {.data = (char[]){"ready\n"}, .size = 6}}},
    };
    for (int i = -1; i < (int)(sizeof(results) / sizeof(results[0])); i++) {
        struct fixture fixture;
        fixture_init(&fixture);
        struct exchange *exchange = ask(&fixture, 0);
        fake_queue_answer(i < 0 ? NULL : &results[i], i < 0 ? &lost : NULL);
        assert_int_equal(exchange->status, 503);
        assert_non_null(strstr(exchange->body.data, "\"detail\":\""));
        fixture_fini(&fixture);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readiness_is_a_program_that_ran),
        cmocka_unit_test(a_concurrent_request_shares_the_probe),
        cmocka_unit_test(success_is_kept_for_ten_seconds),
        cmocka_unit_test(failure_is_kept_for_one_second_and_has_a_reason),
        cmocka_unit_test(a_job_of_anybody_proves_it_for_ten_seconds),
        cmocka_unit_test(a_job_that_ends_after_a_failure_is_readiness),
        cmocka_unit_test(without_redis_it_is_not_ready_at_once),
        cmocka_unit_test(each_language_needs_a_live_worker),
        cmocka_unit_test(a_view_from_before_the_proof_is_no_objection),
        cmocka_unit_test(without_python_workers_are_enough),
        cmocka_unit_test(programs_that_fail_are_not_readiness),
    };
    log_init("test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
