/* link: tests/support/redis_fixture.c tests/support/queue_harness.c */
/* The queue as both daemons use it, over a real Redis that does what it should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/queue_harness.h"

static void
take(struct harness *h, unsigned capacity)
{
    queue_worker_set_capacity(h->worker, "python", capacity);
}

static void
assert_output(const struct harness_answer *answer, const char *text)
{
    assert_int_equal(answer->count, 1);
    assert_int_equal(answer->code, ERR_NONE);
    assert_int_equal(answer->result.verdict, VERDICT_EXITED);
    assert_int_equal(answer->result.out.kept.size, strlen(text));
    assert_memory_equal(answer->result.out.kept.data, text, strlen(text));
}

static void
test_a_job_is_run_and_answered(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    take(h, 1);
    harness_submit(h, "print(1)", &answer);
    assert_int_equal(queue_client_in_flight(h->client), 1);
    harness_run_until(h, &answer.count, 1, 3000);
    harness_run_until(h, &h->delivered, 1, 3000);
    assert_output(&answer, "print(1)");
    assert_int_equal(queue_client_in_flight(h->client), 0);
    result_fini(&answer.result);
}

static void
test_a_job_submitted_before_any_worker_takes_it_waits_for_one(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    harness_submit(h, "x", &answer);
    harness_run_for(h, 100);
    assert_int_equal(answer.count, 0);
    take(h, 1);
    harness_run_until(h, &answer.count, 1, 3000);
    assert_output(&answer, "x");
    result_fini(&answer.result);
}

static void
test_large_code_travels_beside_the_list(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    size_t size = 300000;
    char *code = malloc(size + 1);
    memset(code, 'a', size);
    code[size] = '\0';
    harness_submit(h, code, &answer);
    harness_wait_depth(h, 1);
    assert_true(redis_fixture_int(&h->redis, "MEMORY USAGE t:queue:python") < 4000);
    take(h, 1);
    harness_run_until(h, &answer.count, 1, 3000);
    assert_output(&answer, code);
    assert_int_equal(redis_fixture_run(&h->redis, "KEYS t:blob:*")->elements, 0);
    result_fini(&answer.result);
    free(code);
}

static void
test_sixty_jobs_get_their_own_answers_exactly_once(void **state)
{
    enum { COUNT = 60 };
    struct harness *h = *state;
    static struct harness_answer answers[COUNT];
    char code[COUNT][16];
    take(h, 2);
    for (int i = 0; i < COUNT; i++) {
        snprintf(code[i], sizeof(code[i]), "job %d", i);
        harness_submit(h, code[i], &answers[i]);
    }
    for (int i = 0; i < COUNT; i++)
        harness_run_until(h, &answers[i].count, 1, 5000);
    harness_run_for(h, 100);
    assert_int_equal(h->jobs, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_output(&answers[i], code[i]);
        result_fini(&answers[i].result);
    }
}

static void
test_jobs_are_taken_in_the_order_of_submission_except_probes(void **state)
{
    struct harness *h = *state;
    const struct queue_submit probe = {.max_depth = 1, .max_wait_ms = 10000, .at_head = true};
    struct harness_answer first, second, head;
    h->mode = HARNESS_HOLD;
    harness_submit(h, "first", &first);
    harness_submit(h, "second", &second);
    harness_submit_as(h, "probe", &probe, 5000, &head);
    harness_wait_depth(h, 3);
    take(h, 3);
    harness_run_until(h, &h->jobs, 3, 3000);
    assert_string_equal(h->held[0].job.code.data, "probe");
    assert_string_equal(h->held[1].job.code.data, "first");
    assert_string_equal(h->held[2].job.code.data, "second");
    for (unsigned i = 0; i < 3; i++)
        harness_finish(h, i);
    harness_run_until(h, &h->delivered, 3, 3000);
    harness_run_until(h, &first.count, 1, 3000);
    harness_run_until(h, &second.count, 1, 3000);
    harness_run_until(h, &head.count, 1, 3000);
    result_fini(&first.result);
    result_fini(&second.result);
    result_fini(&head.result);
}

static void
test_a_full_queue_answers_at_once(void **state)
{
    struct harness *h = *state;
    const struct queue_submit how = {.max_depth = 2, .max_wait_ms = 10000};
    struct harness_answer answers[3];
    for (int i = 0; i < 3; i++)
        harness_submit_as(h, "x", &how, 5000, &answers[i]);
    harness_run_until(h, &answers[2].count, 1, 500);
    assert_int_equal(answers[2].code, ERR_QUEUE_FULL);
    assert_int_equal(answers[0].count + answers[1].count, 0);
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:queue:python"), 2);
}

static void
test_more_requests_than_may_be_in_flight_are_refused(void **state)
{
    struct harness *h = *state;
    static struct harness_answer answers[65];
    for (int i = 0; i < 65; i++)
        harness_submit(h, "x", &answers[i]);
    assert_int_equal(answers[63].count, 0);
    assert_int_equal(answers[64].count, 1);
    assert_int_equal(answers[64].code, ERR_QUEUE_FULL);
}

static void
test_a_job_that_nobody_takes_gets_queue_timeout_at_start_by(void **state)
{
    struct harness *h = *state;
    const struct queue_submit how = {.max_depth = 10, .max_wait_ms = 150};
    struct harness_answer answer;
    harness_submit_as(h, "x", &how, 5000, &answer);
    harness_run_until(h, &answer.count, 1, 1500);
    assert_int_equal(answer.code, ERR_NONE);
    assert_int_equal(answer.result.error, ERR_QUEUE_TIMEOUT);
    assert_int_equal(answer.result.verdict, VERDICT_NONE);
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:queue:python"), 0);
}

static void
test_an_expired_job_is_never_run(void **state)
{
    struct harness *h = *state;
    const struct queue_submit how = {.max_depth = 10, .max_wait_ms = 50};
    struct harness_answer expired, good;
    harness_submit_as(h, "late", &how, 5000, &expired);
    harness_submit(h, "good", &good);
    harness_run_for(h, 80); /* past start_by, before the client gives up */
    take(h, 2);
    harness_run_until(h, &good.count, 1, 3000);
    harness_run_until(h, &expired.count, 1, 3000);
    assert_int_equal(expired.result.error, ERR_QUEUE_TIMEOUT);
    assert_int_equal(h->jobs, 1);
    assert_output(&good, "good");
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:inflight:w1"), 0);
    result_fini(&good.result);
}

static void
test_a_worker_that_never_answers_is_worker_lost_at_answer_by(void **state)
{
    struct harness *h = *state;
    const struct queue_submit how = {.max_depth = 10, .max_wait_ms = 100};
    struct harness_answer answer;
    h->mode = HARNESS_HOLD;
    take(h, 1);
    harness_submit_as(h, "x", &how, 100, &answer);
    harness_run_until(h, &h->jobs, 1, 1000);
    harness_run_until(h, &answer.count, 1, 4000); /* 0.1 + 0.1 + 2 s */
    assert_int_equal(answer.code, ERR_WORKER_LOST);
    harness_run_until(h, &h->cancels, 1, 3000); /* and it is told to stop */
    queue_claim_fini(&h->held[0]);
}

static void
test_cancelling_a_queued_job_takes_it_off_the_list(void **state)
{
    struct harness *h = *state;
    struct harness_answer cancelled, other;
    harness_submit(h, "cancelled", &cancelled);
    harness_submit(h, "other", &other);
    harness_wait_depth(h, 2);
    queue_request_cancel(cancelled.request);
    harness_wait_depth(h, 1);
    take(h, 2);
    harness_run_until(h, &other.count, 1, 3000);
    assert_int_equal(cancelled.count, 0);
    assert_int_equal(h->jobs, 1);
    assert_int_equal(queue_client_in_flight(h->client), 0);
    result_fini(&other.result);
}

static void
test_cancelling_a_running_job_tells_its_worker(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    h->mode = HARNESS_HOLD;
    take(h, 1);
    harness_submit(h, "x", &answer);
    harness_run_until(h, &h->jobs, 1, 1000);
    queue_request_cancel(answer.request);
    harness_run_until(h, &h->cancels, 1, 500);
    assert_string_equal(h->cancelled_id, h->held[0].job.id);
    harness_finish(h, 0);
    harness_run_until(h, &h->delivered, 1, 1000);
    assert_int_equal(answer.count, 0);
}

static void
test_cancelling_right_after_submission_is_safe(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    harness_submit(h, "x", &answer);
    queue_request_cancel(answer.request);
    harness_run_for(h, 100);
    assert_int_equal(answer.count, 0);
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:queue:python"), 0);
}

static void
test_the_scripts_come_back_after_script_flush(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    for (int i = 0; i < 2; i++) {
        redis_fixture_run(&h->redis, "SCRIPT FLUSH");
        take(h, 1);
        harness_submit(h, "x", &answer);
        harness_run_until(h, &answer.count, 1, 3000);
        assert_output(&answer, "x");
        result_fini(&answer.result);
    }
    h->mode = HARNESS_HOLD;
    harness_submit(h, "x", &answer);
    harness_run_until(h, &h->jobs, 3, 3000);
    redis_fixture_run(&h->redis, "SCRIPT FLUSH");
    queue_request_cancel(answer.request);
    harness_run_until(h, &h->cancels, 1, 1000);
    redis_fixture_run(&h->redis, "SCRIPT FLUSH");
    harness_finish(h, 0);
    harness_run_until(h, &h->delivered, 3, 1000);
}

static void
test_every_key_expires(void **state)
{
    struct harness *h = *state;
    struct harness_answer done, held, queued, cancelled;
    h->mode = HARNESS_HOLD;
    take(h, 3);
    harness_submit(h, "done", &done);
    harness_submit(h, "held", &held);
    harness_submit(h, "cancelled", &cancelled);
    harness_run_until(h, &h->jobs, 3, 3000);
    harness_submit(h, "queued", &queued);
    harness_finish(h, 0);
    queue_request_cancel(cancelled.request);
    harness_run_until(h, &done.count, 1, 3000);
    redis_fixture_run(&h->redis, "LPUSH t:queue:python rubbish");
    harness_run_for(h, 1200); /* at least one beat */
    assert_int_equal(redis_fixture_keys_without_expiry(&h->redis), 0);
    assert_true(redis_fixture_int(&h->redis, "EXISTS t:worker:w1") == 1);
    result_fini(&done.result);
    harness_finish(h, 1);
    harness_finish(h, 2);
    harness_run_until(h, &held.count, 1, 3000);
    result_fini(&held.result);
}

static void
test_the_records_of_answered_jobs_are_deleted(void **state)
{
    struct harness *h = *state;
    struct harness_answer answers[7];
    take(h, 1);
    for (int i = 0; i < 7; i++) {
        harness_submit(h, "x", &answers[i]);
        harness_run_until(h, &answers[i].count, 1, 3000);
        result_fini(&answers[i].result);
    }
    harness_run_for(h, 150);
    assert_int_equal(redis_fixture_run(&h->redis, "KEYS t:result:*")->elements, 0);
    assert_int_equal(redis_fixture_run(&h->redis, "KEYS t:job:*")->elements, 0);
    assert_int_equal(redis_fixture_run(&h->redis, "KEYS t:reply:*")->elements, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_job_is_run_and_answered),
        TEST(test_a_job_submitted_before_any_worker_takes_it_waits_for_one),
        TEST(test_large_code_travels_beside_the_list),
        TEST(test_sixty_jobs_get_their_own_answers_exactly_once),
        TEST(test_jobs_are_taken_in_the_order_of_submission_except_probes),
        TEST(test_a_full_queue_answers_at_once),
        TEST(test_more_requests_than_may_be_in_flight_are_refused),
        TEST(test_a_job_that_nobody_takes_gets_queue_timeout_at_start_by),
        TEST(test_an_expired_job_is_never_run),
        TEST(test_a_worker_that_never_answers_is_worker_lost_at_answer_by),
        TEST(test_cancelling_a_queued_job_takes_it_off_the_list),
        TEST(test_cancelling_a_running_job_tells_its_worker),
        TEST(test_cancelling_right_after_submission_is_safe),
        TEST(test_the_scripts_come_back_after_script_flush),
        TEST(test_every_key_expires),
        TEST(test_the_records_of_answered_jobs_are_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
