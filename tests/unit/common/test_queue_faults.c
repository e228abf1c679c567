/* link: tests/support/redis_fixture.c tests/support/queue_harness.c */
/* The queue when connections break, Redis restarts or stands still, and workers get lost. */
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

/* All connections but the fixture's own. */
static void
kill_connections(struct harness *h)
{
    redis_fixture_run(&h->redis, "CLIENT KILL TYPE normal SKIPME yes");
}

static void
test_a_connection_killed_in_blmove_loses_no_job(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    take(h, 1);
    harness_run_for(h, 50);
    kill_connections(h);
    harness_run_while(h, harness_disconnected, 3000);
    harness_submit(h, "x", &answer);
    harness_run_until(h, &answer.count, 1, 5000);
    assert_int_equal(answer.code, ERR_NONE);
    result_fini(&answer.result);
}

static void
test_a_connection_killed_in_blpop_loses_no_answer(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    h->mode = HARNESS_HOLD;
    take(h, 1);
    harness_submit(h, "x", &answer);
    harness_run_until(h, &h->jobs, 1, 3000);
    kill_connections(h);
    harness_run_while(h, harness_disconnected, 3000);
    harness_finish(h, 0);
    harness_run_until(h, &answer.count, 1, 5000);
    assert_int_equal(answer.code, ERR_NONE);
    assert_int_equal(h->jobs, 1);
    result_fini(&answer.result);
}

static void
test_an_answer_that_a_dead_connection_popped_is_read_from_the_result_key(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    h->mode = HARNESS_HOLD;
    take(h, 1);
    harness_submit(h, "x", &answer);
    harness_run_until(h, &h->jobs, 1, 3000);
    kill_connections(h);
    harness_run_while(h, harness_disconnected, 3000);
    harness_finish(h, 0);
    /* Whoever popped it died with it. */
    redis_fixture_run(&h->redis, "DEL t:reply:%s", h->held[0].job.id);
    harness_run_until(h, &answer.count, 1, 5000);
    assert_int_equal(answer.code, ERR_NONE);
    result_fini(&answer.result);
}

static void
test_a_result_finished_while_redis_is_away_is_delivered_when_it_is_back(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    h->mode = HARNESS_HOLD;
    take(h, 1);
    harness_submit(h, "x", &answer);
    harness_run_until(h, &h->jobs, 1, 3000);
    redis_fixture_kill(&h->redis);
    harness_run_for(h, 100);
    harness_finish(h, 0);
    harness_run_for(h, 100);
    redis_fixture_revive(&h->redis);
    harness_run_until(h, &answer.count, 1, 6000);
    assert_int_equal(answer.code, ERR_NONE);
    harness_run_until(h, &h->delivered, 1, 3000);
    assert_int_equal(h->jobs, 1);
    result_fini(&answer.result);
}

static void
test_a_queued_job_survives_a_restart_of_redis(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    harness_submit(h, "x", &answer);
    harness_wait_depth(h, 1);
    redis_fixture_kill(&h->redis);
    harness_run_for(h, 50);
    redis_fixture_revive(&h->redis);
    harness_run_while(h, harness_disconnected, 5000);
    take(h, 1);
    harness_run_until(h, &answer.count, 1, 5000);
    assert_int_equal(answer.code, ERR_NONE);
    result_fini(&answer.result);
}

static void
test_nothing_can_be_submitted_while_redis_is_away(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    redis_fixture_kill(&h->redis);
    harness_run_for(h, 50);
    harness_submit(h, "x", &answer);
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.code, ERR_UNAVAILABLE);
    assert_int_equal(queue_client_in_flight(h->client), 0);
}

static void
test_a_submission_that_redis_does_not_take_in_time_is_unavailable(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    redis_fixture_freeze(&h->redis);
    harness_submit(h, "x", &answer);
    harness_run_until(h, &answer.count, 1, 4000); /* 1 s connecting and 1 s for a command */
    assert_int_equal(answer.code, ERR_UNAVAILABLE);
    redis_fixture_thaw(&h->redis);
}

static void
test_a_submission_whose_reply_was_lost_is_run_once(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    harness_submit(h, "x", &answer);
    harness_wait_depth(h, 1);
    queue_request_cancel(answer.request);
    harness_wait_depth(h, 0);
    /* The same through a server that stands still until the client has given its connection up. */
    redis_fixture_freeze(&h->redis);
    harness_submit(h, "y", &answer);
    harness_run_for(h, 1100);
    assert_false(queue_client_connected(h->client));
    redis_fixture_thaw(&h->redis);
    take(h, 2);
    harness_run_until(h, &answer.count, 1, 5000);
    assert_int_equal(answer.code, ERR_NONE);
    harness_run_for(h, 200);
    assert_int_equal(h->jobs, 1);
    result_fini(&answer.result);
}

static void
test_no_answer_within_the_deadline_ends_in_unavailable_when_redis_stays_away(void **state)
{
    struct harness *h = *state;
    const struct queue_submit how = {.max_depth = 10, .max_wait_ms = 100};
    struct harness_answer answer;
    h->mode = HARNESS_HOLD;
    take(h, 1);
    harness_submit_as(h, "x", &how, 100, &answer);
    harness_run_until(h, &h->jobs, 1, 3000);
    redis_fixture_kill(&h->redis);
    harness_finish(h, 0);
    harness_run_until(h, &answer.count, 1, 4000);
    assert_int_equal(answer.code, ERR_UNAVAILABLE);
    harness_run_until(h, &h->undelivered, 1, 4000);
}

/* Puts a job where a BLMOVE of a dead connection leaves it. */
static void
move_to_inflight(struct harness *h)
{
    redis_fixture_run(&h->redis, "LMOVE t:queue:python t:inflight:w1 RIGHT LEFT");
}

static void
test_a_job_moved_by_a_dead_connection_is_claimed_with_the_next_one(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    harness_submit(h, "x", &answer);
    harness_wait_depth(h, 1);
    move_to_inflight(h);
    take(h, 1);
    harness_run_until(h, &answer.count, 1, 3000);
    assert_int_equal(answer.code, ERR_NONE);
    result_fini(&answer.result);
}

static void
test_a_job_moved_to_a_worker_without_capacity_goes_back_to_the_queue(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    harness_submit(h, "x", &answer);
    harness_wait_depth(h, 1);
    move_to_inflight(h);
    harness_wait_depth(h, 1); /* by the beat */
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:inflight:w1"), 0);
    take(h, 1);
    harness_run_until(h, &answer.count, 1, 3000);
    result_fini(&answer.result);
}

static void
claim_for_nobody(struct harness *h, const char *attempts)
{
    redisReply *keys = redis_fixture_run(&h->redis, "KEYS t:job:*");
    char key[80];
    snprintf(key, sizeof(key), "%s", keys->element[0]->str);
    redis_fixture_run(&h->redis, "HSET %s state running owner w1 epoch 1 attempts %s claimed 0",
                      key, attempts);
}

static void
test_a_claim_whose_reply_was_lost_is_counted_and_run_again(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    harness_submit(h, "x", &answer);
    harness_wait_depth(h, 1);
    move_to_inflight(h);
    claim_for_nobody(h, "1");
    harness_wait_depth(h, 1);
    h->mode = HARNESS_HOLD;
    take(h, 1);
    harness_run_until(h, &h->jobs, 1, 3000);
    assert_int_equal(h->held[0].attempts, 2);
    assert_int_equal(h->held[0].epoch, 2);
    harness_finish(h, 0);
    harness_run_until(h, &answer.count, 1, 3000);
    assert_int_equal(answer.code, ERR_NONE);
    assert_int_equal(answer.result.error, ERR_NONE);
    result_fini(&answer.result);
}

static void
test_a_job_lost_twice_is_answered_worker_lost(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    harness_submit(h, "x", &answer);
    harness_wait_depth(h, 1);
    move_to_inflight(h);
    claim_for_nobody(h, "2");
    harness_run_until(h, &answer.count, 1, 5000);
    assert_int_equal(answer.code, ERR_NONE);
    assert_int_equal(answer.result.error, ERR_WORKER_LOST);
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:inflight:w1"), 0);
}

static void
test_a_worker_that_was_superseded_is_fenced(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    h->mode = HARNESS_HOLD;
    take(h, 1);
    harness_submit(h, "x", &answer);
    harness_run_until(h, &h->jobs, 1, 3000);
    redis_fixture_run(&h->redis, "HSET t:job:%s owner w2 epoch 2", h->held[0].job.id);
    harness_finish(h, 0);
    harness_run_until(h, &h->refused, 1, 3000);
    assert_int_equal(h->delivered, 0);
    assert_int_equal(answer.count, 0);
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:inflight:w1"), 0);
}

static void
test_a_held_job_is_not_put_back_however_long_it_runs(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    h->mode = HARNESS_HOLD;
    take(h, 1);
    harness_submit(h, "x", &answer);
    harness_run_until(h, &h->jobs, 1, 3000);
    redis_fixture_run(&h->redis, "HSET t:job:%s claimed 0", h->held[0].job.id);
    kill_connections(h); /* a comparison follows every reconnection */
    harness_run_for(h, 1500);
    assert_int_equal(redis_fixture_int(&h->redis, "LLEN t:inflight:w1"), 1);
    harness_finish(h, 0);
    harness_run_until(h, &answer.count, 1, 3000);
    assert_int_equal(answer.result.error, ERR_NONE);
    result_fini(&answer.result);
}

static void
test_a_redis_without_memory_refuses_jobs_and_takes_results(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer, refused;
    h->mode = HARNESS_HOLD;
    take(h, 1);
    harness_submit(h, "x", &answer);
    harness_run_until(h, &h->jobs, 1, 3000);
    redis_fixture_run(&h->redis, "CONFIG SET maxmemory 1");
    harness_submit(h, "y", &refused);
    harness_run_until(h, &refused.count, 1, 3000);
    assert_int_equal(refused.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(refused.text, "memory limit"));
    harness_finish(h, 0);
    harness_run_until(h, &answer.count, 1, 3000);
    assert_int_equal(answer.code, ERR_NONE);
    result_fini(&answer.result);
}

static void
test_keys_of_a_foreign_type_are_an_error_and_no_crash(void **state)
{
    struct harness *h = *state;
    struct harness_answer answer;
    redis_fixture_run(&h->redis, "SET t:queue:python foreign");
    take(h, 1);
    harness_submit(h, "x", &answer);
    harness_run_until(h, &answer.count, 1, 3000);
    assert_int_equal(answer.code, ERR_PROTOCOL);
    assert_non_null(strstr(answer.text, "foreign type"));
    redis_fixture_run(&h->redis, "DEL t:queue:python");
    harness_submit(h, "x", &answer);
    harness_run_until(h, &answer.count, 1, 5000);
    assert_int_equal(answer.code, ERR_NONE);
    result_fini(&answer.result);
}

static void
test_client_and_worker_can_be_freed_with_everything_under_way(void **state)
{
    struct harness *h = *state;
    struct harness_answer answers[3];
    h->mode = HARNESS_HOLD;
    take(h, 2);
    for (int i = 0; i < 3; i++)
        harness_submit(h, "x", &answers[i]);
    harness_run_until(h, &h->jobs, 2, 3000);
    queue_request_cancel(answers[2].request);
    harness_finish(h, 0);
    queue_claim_fini(&h->held[1]);
    /* The teardown frees them; no answer is called. */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_connection_killed_in_blmove_loses_no_job),
        TEST(test_a_connection_killed_in_blpop_loses_no_answer),
        TEST(test_an_answer_that_a_dead_connection_popped_is_read_from_the_result_key),
        TEST(test_a_result_finished_while_redis_is_away_is_delivered_when_it_is_back),
        TEST(test_a_queued_job_survives_a_restart_of_redis),
        TEST(test_nothing_can_be_submitted_while_redis_is_away),
        TEST(test_a_submission_that_redis_does_not_take_in_time_is_unavailable),
        TEST(test_a_submission_whose_reply_was_lost_is_run_once),
        TEST(test_no_answer_within_the_deadline_ends_in_unavailable_when_redis_stays_away),
        TEST(test_a_job_moved_by_a_dead_connection_is_claimed_with_the_next_one),
        TEST(test_a_job_moved_to_a_worker_without_capacity_goes_back_to_the_queue),
        TEST(test_a_claim_whose_reply_was_lost_is_counted_and_run_again),
        TEST(test_a_job_lost_twice_is_answered_worker_lost),
        TEST(test_a_worker_that_was_superseded_is_fenced),
        TEST(test_a_held_job_is_not_put_back_however_long_it_runs),
        TEST(test_a_redis_without_memory_refuses_jobs_and_takes_results),
        TEST(test_keys_of_a_foreign_type_are_an_error_and_no_crash),
        TEST(test_client_and_worker_can_be_freed_with_everything_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
