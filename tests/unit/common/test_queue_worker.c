/* link: tests/support/redis_fixture.c tests/support/queue_harness.c */
/* The worker's side of the queue: capacity, draining, what cannot be run. */
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
test_no_more_jobs_are_handed_out_than_there_is_capacity(void **state)
{
    struct harness *h = *state;
    struct harness_answer answers[4];
    h->mode = HARNESS_HOLD;
    take(h, 2);
    for (int i = 0; i < 4; i++)
        harness_submit(h, "x", &answers[i]);
    harness_run_until(h, &h->jobs, 2, 3000);
    harness_run_for(h, 200);
    assert_int_equal(h->jobs, 2);
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:queue:python"), 2);
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:inflight:w1"), 2);
    harness_finish(h, 0);
    take(h, 1);
    harness_run_until(h, &h->jobs, 3, 3000);
    harness_finish(h, 1);
    harness_finish(h, 2);
    take(h, 1);
    harness_run_until(h, &h->jobs, 4, 3000);
    harness_finish(h, 3);
    for (int i = 0; i < 4; i++) {
        harness_run_until(h, &answers[i].count, 1, 3000);
        result_fini(&answers[i].result);
    }
}

static void
test_a_worker_with_no_capacity_left_gives_the_job_back_uncounted(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    take(h, 1);
    harness_run_for(h, 50);
    harness_submit(h, "x", &answer);
    /* Redis hands the job out in one go; here the capacity goes before its reply is read. */
    take(h, 0);
    harness_run_for(h, 200);
    assert_int_equal(h->jobs, 0);
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:queue:python"), 1);
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:inflight:w1"), 0);
    assert_true(queue_worker_idle(h->worker));
    h->mode = HARNESS_HOLD;
    take(h, 1);
    harness_run_until(h, &h->jobs, 1, 3000);
    assert_int_equal(h->held[0].attempts, 1);
    harness_finish(h, 0);
    harness_run_until(h, &answer.count, 1, 3000);
    result_fini(&answer.result);
}

static void
test_taking_stops_at_once_when_the_capacity_goes(void **state)
{
    struct harness *h = *state;
    take(h, 1);
    harness_run_for(h, 50);
    assert_false(queue_worker_idle(h->worker));
    take(h, 0);
    harness_run_for(h, 100);
    assert_true(queue_worker_idle(h->worker));
}

static void
count_call(void *context)
{
    ++*(unsigned *)context;
}

static void
test_a_worker_that_drains_is_idle_soon_and_takes_nothing_any_more(void **state)
{
    struct harness *h = *state;
    struct harness_answer held, other;
    unsigned drained = 0;
    h->mode = HARNESS_HOLD;
    take(h, 2);
    harness_submit(h, "held", &held);
    harness_run_until(h, &h->jobs, 1, 3000);
    queue_worker_drain(h->worker, 60000, count_call, &drained);
    harness_submit(h, "other", &other);
    harness_wait_depth(h, 1);
    take(h, 2);
    harness_run_for(h, 100);
    assert_int_equal(drained, 0); /* a job is held */
    assert_int_equal(h->jobs, 1);
    harness_finish(h, 0);
    harness_run_until(h, &drained, 1, 1000);
    harness_run_until(h, &held.count, 1, 1000);
    harness_run_for(h, 50);
    assert_int_equal(drained, 1);
    result_fini(&held.result);
}

static void
test_draining_ends_at_its_timeout(void **state)
{
    struct harness *h = *state;
    struct harness_answer held;
    unsigned drained = 0;
    h->mode = HARNESS_HOLD;
    take(h, 1);
    harness_submit(h, "held", &held);
    harness_run_until(h, &h->jobs, 1, 3000);
    queue_worker_drain(h->worker, 50, count_call, &drained);
    harness_run_until(h, &drained, 1, 1000);
    queue_claim_fini(&h->held[0]);
}

static void
test_elements_that_cannot_be_understood_become_dead_letters(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    redis_fixture_run(&h->redis, "LPUSH t:queue:python %s", "rubbish");
    redis_fixture_run(&h->redis, "LPUSH t:queue:python %b", "\x95\x01\x02\x03\x04\x80", (size_t)6);
    take(h, 1);
    harness_submit(h, "x", &answer);
    harness_run_until(h, &answer.count, 1, 3000);
    assert_output(&answer, "x");
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:dead"), 2);
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:inflight:w1"), 0);
    result_fini(&answer.result);
}

static void
test_a_job_of_an_unknown_version_is_answered_and_kept_as_dead_letter(void **state)
{
    struct harness *h = *state;
    redis_fixture_run(&h->redis, "HSET t:job:ab state queued language python attempts 0 epoch 0 "
                                 "owner x submitted 0 start_by 99999999999999 "
                                 "answer_by 99999999999999");
    redis_fixture_run(&h->redis, "EXPIRE t:job:ab 100");
    redis_fixture_run(&h->redis, "LPUSH t:queue:python %b",
                      "\x95\x07\x02\x03\xa2"
                      "ab"
                      "\x80",
                      (size_t)8);
    take(h, 1);
    harness_run_for(h, 200);
    assert_int_equal(h->jobs, 0);
    assert_int_equal(redis_fixture_int(&h->redis, "EXISTS t:result:ab"), 1);
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:dead"), 1);
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:inflight:w1"), 0);
}

static void
test_two_workers_share_the_jobs_and_run_each_once(void **state)
{
    enum { COUNT = 40 };
    struct harness *h = *state;
    static struct harness_answer answers[COUNT];
    struct queue_worker *first = h->worker, *second = harness_worker(h, "w2");
    h->mode = HARNESS_HOLD;
    for (int i = 0; i < COUNT; i++)
        harness_submit(h, "x", &answers[i]);
    queue_worker_set_capacity(first, "python", COUNT);
    queue_worker_set_capacity(second, "python", COUNT);
    harness_run_until(h, &h->jobs, COUNT, 5000);
    long long mine = redis_fixture_int(&h->redis, "LLEN t:inflight:w1");
    assert_int_equal(mine + redis_fixture_int(&h->redis, "LLEN t:inflight:w2"), COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        redisReply *owner = redis_fixture_run(&h->redis, "HGET t:job:%s owner", h->held[i].job.id);
        h->worker = strcmp(owner->str, "w1") == 0 ? first : second;
        harness_finish(h, i);
    }
    for (int i = 0; i < COUNT; i++) {
        harness_run_until(h, &answers[i].count, 1, 3000);
        assert_int_equal(answers[i].code, ERR_NONE);
        result_fini(&answers[i].result);
    }
    harness_run_until(h, &h->delivered, COUNT, 3000);
    assert_int_equal(h->refused, 0);
    h->worker = first;
    queue_worker_free(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_no_more_jobs_are_handed_out_than_there_is_capacity),
        TEST(test_a_worker_with_no_capacity_left_gives_the_job_back_uncounted),
        TEST(test_taking_stops_at_once_when_the_capacity_goes),
        TEST(test_a_worker_that_drains_is_idle_soon_and_takes_nothing_any_more),
        TEST(test_draining_ends_at_its_timeout),
        TEST(test_elements_that_cannot_be_understood_become_dead_letters),
        TEST(test_a_job_of_an_unknown_version_is_answered_and_kept_as_dead_letter),
        TEST(test_two_workers_share_the_jobs_and_run_each_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
