/* link: tests/support/redis_fixture.c tests/support/queue_harness.c */
/* Several workers: one dies, one drains, two have one name; and what the client sees of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/queue_client_internal.h"
#include "tests/support/queue_harness.h"

#define EXPIRY_MS 5000

/* A job that the harness's worker runs and does not finish. */
static void
hold_a_job(struct harness *h, struct harness_answer *answer, uint32_t max_attempts)
{
    const struct queue_submit how = {
        .max_depth = 10, .max_wait_ms = 10000, .max_attempts = max_attempts};
    h->mode = HARNESS_HOLD;
    queue_worker_set_capacity(h->worker, "python", 1);
    harness_submit_as(h, "print(1)", &how, 5000, answer);
    harness_run_until(h, &h->jobs, 1, 3000);
}

/* As kill -9 does: nothing is said, the connections close. */
static void
kill_worker(struct harness *h)
{
    queue_worker_free(h->worker);
    h->worker = NULL;
}

static void
test_a_dead_worker_s_job_is_run_by_another_within_expiry_and_a_second(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    hold_a_job(h, &answer, 2);
    kill_worker(h);
    uint64_t killed_us = clock_monotonic_us();
    h->worker = harness_worker(h, "w2");
    queue_worker_set_capacity(h->worker, "python", 1);
    harness_run_until(h, &h->jobs, 2, EXPIRY_MS + 1000);
    assert_in_range(clock_monotonic_us() - killed_us, (EXPIRY_MS - 1500) * 1000,
                    (EXPIRY_MS + 1000) * 1000);
    assert_int_equal(h->held[1].attempts, 2);
    harness_finish(h, 1);
    queue_claim_fini(&h->held[0]);
    harness_run_until(h, &answer.count, 1, 1000);
    assert_int_equal(answer.code, ERR_NONE);
    result_fini(&answer.result);
    assert_int_equal(redis_fixture_int(&h->redis, "EXISTS t:inflight:w1"), 0);
}

static void
test_without_attempts_a_dead_worker_s_job_is_answered_worker_lost(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    hold_a_job(h, &answer, 1);
    kill_worker(h);
    harness_run_until(h, &answer.count, 1, EXPIRY_MS + 1000);
    assert_int_equal(answer.code, ERR_NONE);
    assert_int_equal(answer.result.error, ERR_WORKER_LOST);
    result_fini(&answer.result);
    queue_claim_fini(&h->held[0]);
    assert_int_equal(queue_client_fleet(h->client)->lost, 1);
}

static void
test_a_job_handed_back_is_run_again_and_counted(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    struct err err = ERR_INIT;
    hold_a_job(h, &answer, 2);
    assert_int_equal(queue_worker_hand_back(h->worker, &h->held[0], &err), 0);
    assert_int_equal(queue_worker_hand_back(h->worker, &h->held[0], &err), -1);
    harness_run_until(h, &h->delivered, 1, 1000);
    queue_claim_fini(&h->held[0]);
    h->held_count = 0;
    queue_worker_set_capacity(h->worker, "python", 1);
    harness_run_until(h, &h->jobs, 2, 1000);
    assert_int_equal(h->held[0].attempts, 2);
    assert_int_equal(queue_worker_hand_back(h->worker, &h->held[0], &err), 0);
    harness_run_until(h, &answer.count, 1, 1000);
    assert_int_equal(answer.result.error, ERR_WORKER_LOST);
    result_fini(&answer.result);
    queue_claim_fini(&h->held[0]);
}

static unsigned drained;

static void
on_drained(void *context)
{
    (void)context;
    drained++;
}

static void
test_a_worker_that_drained_is_not_in_the_registry(void **state)
{
    struct harness *h = *state;
    drained = 0;
    harness_run_for(h, 50); /* the first beat */
    assert_int_equal(redis_fixture_int(&h->redis, "ZCARD t:workers"), 1);
    queue_worker_drain(h->worker, 1000, on_drained, NULL);
    harness_run_until(h, &drained, 1, 1000);
    assert_int_equal(redis_fixture_int(&h->redis, "EXISTS t:workers t:worker:w1"), 0);
    harness_run_for(h, 1200); /* longer than to the next beat */
    assert_int_equal(redis_fixture_int(&h->redis, "EXISTS t:workers t:worker:w1"), 0);
}

static void
test_what_is_held_at_the_end_of_a_drain_goes_to_others(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    drained = 0;
    hold_a_job(h, &answer, 2);
    queue_worker_drain(h->worker, 50, on_drained, NULL);
    harness_run_until(h, &drained, 1, 2000);
    kill_worker(h);
    h->worker = harness_worker(h, "w2");
    queue_worker_set_capacity(h->worker, "python", 1);
    harness_run_until(h, &h->jobs, 2, 1000);
    harness_finish(h, 1);
    queue_claim_fini(&h->held[0]);
    harness_run_until(h, &answer.count, 1, 1000);
    result_fini(&answer.result);
}

static void
test_an_operator_s_word_reaches_the_worker(void **state)
{
    struct harness *h = *state;
    redis_fixture_run(&h->redis, "LPUSH t:cancel:w1 !drain");
    harness_run_until(h, &h->drains, 1, 1000);
    assert_int_equal(h->cancels, 0);
}

static bool
cancel_is_pending(struct harness *h)
{
    return redis_fixture_run(&h->redis, "LLEN t:cancel:w1")->integer > 0;
}

/* The worker's connections are several: a cancellation may overtake the claim's reply. */
static void
test_a_cancellation_that_comes_before_its_job_is_kept_for_it(void **state)
{
    struct harness *h = *state;
    struct harness_answer first, second;
    h->mode = HARNESS_HOLD;
    harness_submit(h, "1", &first);
    harness_submit(h, "2", &second);
    harness_wait_depth(h, 2);
    redis_fixture_run(&h->redis, "LPUSH t:cancel:w1 %s", first.request->id);
    harness_run_while(h, cancel_is_pending, 1000);
    harness_run_for(h, 20);
    assert_int_equal(h->cancels, 0);
    queue_worker_set_capacity(h->worker, "python", 2);
    harness_run_until(h, &h->jobs, 2, 1000);
    assert_int_equal(h->cancels, 1);
    assert_string_equal(h->cancelled_id, first.request->id);
    for (unsigned i = 0; i < 2; i++) {
        harness_finish(h, i);
        queue_claim_fini(&h->held[i]);
    }
    harness_run_until(h, &first.count, 1, 1000);
    harness_run_until(h, &second.count, 1, 1000);
    result_fini(&first.result);
    result_fini(&second.result);
}

static void
test_a_job_that_others_have_is_ended(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    hold_a_job(h, &answer, 2);
    redis_fixture_run(&h->redis, "HSET t:job:%s owner w9 epoch 7", h->held[0].job.id);
    harness_run_until(h, &h->cancels, 1, 2000);
    assert_string_equal(h->cancelled_id, h->held[0].job.id);
    harness_finish(h, 0);
    harness_run_until(h, &h->refused, 1, 1000);
    assert_int_equal(answer.count, 0);
}

static void
test_the_client_sees_queues_and_workers(void **state)
{
    struct harness *h = *state;
    struct harness_answer held, waits;
    const struct queue_fleet *fleet = queue_client_fleet(h->client);
    queue_worker_set_slots(h->worker, "python", 3);
    hold_a_job(h, &held, 2);
    harness_submit(h, "x", &waits);
    harness_run_for(h, 1800); /* a beat and a sweep after it */
    assert_int_not_equal(fleet->seen_us, 0);
    assert_int_equal(fleet->workers, 1);
    assert_int_equal(fleet->language_count, 1);
    assert_string_equal(fleet->languages[0].name, "python");
    assert_int_equal(fleet->languages[0].depth, 1);
    assert_int_equal(fleet->languages[0].workers, 1);
    assert_int_equal(fleet->languages[0].slots, 3);
    assert_int_equal(fleet->languages[0].busy, 1);
    queue_claim_fini(&h->held[0]);
}

static void
test_a_second_worker_of_the_same_name_is_refused(void **state)
{
    struct harness *h = *state;
    struct queue_worker *second = harness_worker(h, "w1");
    harness_run_until(h, &h->unfits, 1, 10000);
    assert_non_null(strstr(h->unfit_text, "WORKER_ID w1 is in use"));
    queue_worker_free(second);
}

static void
test_a_redis_that_may_drop_jobs_is_refused_once(void **state)
{
    struct harness *h = *state;
    struct err err = ERR_INIT;
    redis_fixture_run(&h->redis, "CONFIG SET maxmemory-policy allkeys-lru");
    redis_fixture_run(&h->redis, "CONFIG SET maxmemory 100mb");
    struct queue_options options = harness_options(h);
    struct queue_client *client = queue_client_new(h->base, &options, 4, &err);
    assert_non_null(client);
    harness_run_until(h, &h->unfits, 1, 1000);
    assert_non_null(strstr(h->unfit_text, "allkeys-lru"));
    queue_client_free(client);
}

static void
count_rejected(void *context, const struct result *result, const struct err *err)
{
    unsigned *count = context;
    assert_null(result);
    assert_int_equal(err->code, ERR_REJECTED);
    ++*count;
}

static void
test_an_id_in_use_is_rejected(void **state)
{
    struct harness *h = *state;
    struct harness_answer held;
    struct err err = ERR_INIT;
    const struct queue_submit how = {.max_depth = 10, .max_wait_ms = 1000};
    unsigned rejected = 0;
    hold_a_job(h, &held, 2);
    assert_non_null(
        queue_submit(h->client, &h->held[0].job, &how, count_rejected, &rejected, &err));
    harness_run_until(h, &rejected, 1, 1000);
    assert_int_equal(held.count, 0);
    queue_claim_fini(&h->held[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_dead_worker_s_job_is_run_by_another_within_expiry_and_a_second),
        TEST(test_without_attempts_a_dead_worker_s_job_is_answered_worker_lost),
        TEST(test_a_job_handed_back_is_run_again_and_counted),
        TEST(test_a_worker_that_drained_is_not_in_the_registry),
        TEST(test_what_is_held_at_the_end_of_a_drain_goes_to_others),
        TEST(test_an_operator_s_word_reaches_the_worker),
        TEST(test_a_cancellation_that_comes_before_its_job_is_kept_for_it),
        TEST(test_a_job_that_others_have_is_ended),
        TEST(test_the_client_sees_queues_and_workers),
        TEST(test_a_second_worker_of_the_same_name_is_refused),
        TEST(test_a_redis_that_may_drop_jobs_is_refused_once),
        TEST(test_an_id_in_use_is_rejected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
