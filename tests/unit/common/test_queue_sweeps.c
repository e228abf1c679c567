/* link: tests/support/redis_fixture.c tests/support/script_world.c */
/* What becomes of the jobs of dead workers, of names in use, of records that are none of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/codec.h"
#include "tests/support/script_world.h"

enum { RETRIED, LOST, RETURNED, EXPIRED, REMOVED };

#define ABOUT(instance)                                                                            \
    "{\"instance\":\"" instance "\",\"state\":\"serving\",\"slots:python\":\"4\","                 \
    "\"busy:python\":\"1\"}"

static redisReply *
beat(struct redis_fixture *redis, const char *worker, const char *about)
{
    return SCRIPT(redis, QUEUE_SCRIPT_REAP, "beat", worker, about, "5000", "0", "", "4000");
}

/* Job ID is run by w1, which has died. */
static void
leave_a_dead_worker(struct redis_fixture *redis)
{
    script_submit(redis, ID);
    script_move(redis);
    SCRIPT(redis, QUEUE_SCRIPT_CLAIM, "w1", "python");
    script_note_beat(redis, "w1", "1000");
}

static void
test_a_dead_worker_leaves_the_registry_and_its_jobs_the_list(void **state)
{
    struct redis_fixture *redis = *state;
    leave_a_dead_worker(redis);
    redis_fixture_run(redis, "SET t:cancel:w1 x EX 10");
    redisReply *counts = script_sweep(redis)->element[0];
    assert_int_equal(counts->element[RETRIED]->integer, 1);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:queue:python"), 1);
    assert_int_equal(redis_fixture_int(redis, "EXISTS t:inflight:w1 t:cancel:w1 t:worker:w1"), 0);
    script_sweep(redis); /* its last BLMOVE has ended long ago */
    assert_int_equal(redis_fixture_int(redis, "EXISTS t:workers"), 0);
    assert_int_equal(redis_fixture_keys_without_expiry(redis), 0);
}

static void
test_a_job_that_was_taken_over_is_not_finished_by_who_had_it(void **state)
{
    struct redis_fixture *redis = *state;
    leave_a_dead_worker(redis);
    const char *what = script_element(redis);
    script_sweep(redis);
    assert_int_equal(SCRIPT(redis, QUEUE_SCRIPT_FINISH, "w1", ID, "1", what, "late", "")->integer,
                     0);
    assert_string_equal(script_state(redis), "queued");
    assert_int_equal(redis_fixture_int(redis, "LLEN t:queue:python"), 1);
    assert_int_equal(redis_fixture_int(redis, "EXISTS t:result:" ID), 0);
}

/* Requeued, and moved again by its worker, whose claim is not there yet. */
static void
test_a_late_result_leaves_what_its_worker_has_moved_alone(void **state)
{
    struct redis_fixture *redis = *state;
    leave_a_dead_worker(redis);
    const char *what = script_element(redis);
    SCRIPT(redis, QUEUE_SCRIPT_REAP, "requeue", ID);
    script_move(redis);
    assert_int_equal(SCRIPT(redis, QUEUE_SCRIPT_FINISH, "w1", ID, "1", what, "late", "")->integer,
                     0);
    assert_string_equal(script_state(redis), "queued");
    assert_int_equal(redis_fixture_int(redis, "LLEN t:inflight:w1"), 1);
}

static void
test_what_a_dead_worker_s_last_blmove_moved_is_found(void **state)
{
    struct redis_fixture *redis = *state;
    char beat_ms[32];
    leave_a_dead_worker(redis);
    const redisReply *time = redis_fixture_run(redis, "TIME");
    snprintf(beat_ms, sizeof(beat_ms), "%lld",
             strtoll(time->element[0]->str, NULL, 10) * 1000 - 5500);
    script_note_beat(redis, "w1", beat_ms);
    script_sweep(redis); /* the job is in the queue again */
    script_move(redis);  /* and that BLMOVE gets it; there is no claim */
    script_sweep(redis);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:queue:python"), 1);
    assert_int_equal(redis_fixture_int(redis, "EXISTS t:inflight:w1"), 0);
}

static void
test_who_was_started_once_and_waits_too_long_is_lost(void **state)
{
    struct redis_fixture *redis = *state;
    leave_a_dead_worker(redis);
    script_sweep(redis);
    redis_fixture_run(redis, "HSET t:job:" ID " start_by " LATE);
    SCRIPT(redis, QUEUE_SCRIPT_CANCEL, ID, "python", "start_by", MAP);
    assert_string_equal(script_state(redis), "lost");
    assert_int_equal(redis_fixture_int(redis, "EXISTS t:result:" ID), 1);
}

static void
test_as_many_attempts_as_the_client_allows(void **state)
{
    struct redis_fixture *redis = *state;
    SCRIPT(redis, QUEUE_SCRIPT_SUBMIT, ID, "python", "10", "5000", "7000", "0", "0", MAP, "", "3");
    for (int attempt = 1; attempt <= 3; attempt++) {
        script_move(redis);
        redisReply *claim = SCRIPT(redis, QUEUE_SCRIPT_CLAIM, "w1", "python");
        assert_int_equal(claim->element[2]->integer, attempt);
        script_note_beat(redis, "w1", "1000");
        script_sweep(redis);
    }
    assert_string_equal(script_state(redis), "lost");
    assert_int_equal(redis_fixture_int(redis, "LLEN t:queue:python"), 0);
}

static void
test_after_a_gap_workers_have_the_time_of_an_expiry(void **state)
{
    struct redis_fixture *redis = *state;
    leave_a_dead_worker(redis);
    for (int i = 0; i < 2; i++) {
        SCRIPT(redis, QUEUE_SCRIPT_REAP, "sweep", "200", "python,");
        assert_string_equal(script_state(redis), "running");
    }
    redis_fixture_run(redis, "HSET t:sweeps quiet_until 1"); /* as if that time were over */
    SCRIPT(redis, QUEUE_SCRIPT_REAP, "sweep", "200", "python,");
    assert_string_equal(script_state(redis), "queued");
}

static void
test_a_beat_sweeps_too(void **state)
{
    struct redis_fixture *redis = *state;
    leave_a_dead_worker(redis);
    beat(redis, "w2", ABOUT("a")); /* the gap */
    redis_fixture_run(redis, "HSET t:sweeps quiet_until 1");
    redisReply *reply = beat(redis, "w2", ABOUT("a"));
    assert_int_equal(reply->element[1]->element[RETRIED]->integer, 1);
    assert_string_equal(script_state(redis), "queued");
}

static void
test_a_beat_names_the_jobs_that_others_have(void **state)
{
    struct redis_fixture *redis = *state;
    leave_a_dead_worker(redis);
    redisReply *reply = SCRIPT(redis, QUEUE_SCRIPT_REAP, "beat", "w1", ABOUT("a"), "5000", "0",
                               ID ":1,fedc:1,", "4000");
    assert_int_equal(reply->element[2]->elements, 0);
    SCRIPT(redis, QUEUE_SCRIPT_REAP, "requeue", ID);
    reply = SCRIPT(redis, QUEUE_SCRIPT_REAP, "beat", "w1", ABOUT("a"), "5000", "0", ID ":1,fedc:1,",
                   "4000");
    assert_int_equal(reply->element[2]->elements, 2);
    assert_string_equal(reply->element[2]->element[0]->str, ID);
    assert_int_equal(reply->element[2]->element[1]->integer, 1);
}

static void
test_a_worker_s_name_is_taken_while_its_beat_is_fresh(void **state)
{
    struct redis_fixture *redis = *state;
    assert_int_equal(beat(redis, "w1", ABOUT("a"))->type, REDIS_REPLY_ARRAY);
    assert_int_equal(beat(redis, "w1", ABOUT("b"))->type, REDIS_REPLY_NIL);
    assert_string_equal(redis_fixture_run(redis, "HGET t:worker:w1 instance")->str, "a");
    assert_in_range(redis_fixture_int(redis, "PTTL t:worker:w1"), 1, 5000);
    redis_fixture_run(redis, "DEL t:worker:w1"); /* as it expires */
    assert_int_equal(beat(redis, "w1", ABOUT("b"))->type, REDIS_REPLY_ARRAY);
}

static void
test_a_sweep_says_what_the_fleet_does(void **state)
{
    struct redis_fixture *redis = *state;
    beat(redis, "w1", ABOUT("a"));
    beat(redis, "w2", "{\"state\":\"serving\",\"slots:python\":\"2\",\"busy:python\":\"2\"}");
    script_submit(redis, ID);
    redisReply *reply = SCRIPT(redis, QUEUE_SCRIPT_REAP, "sweep", "5000", "ruby,");
    assert_int_equal(reply->element[2]->integer, 2);
    assert_int_equal(reply->elements, 5);
    const redisReply *ruby = reply->element[3], *python = reply->element[4];
    assert_string_equal(ruby->element[0]->str, "ruby");
    assert_int_equal(ruby->element[2]->integer, 0);
    assert_string_equal(python->element[0]->str, "python");
    assert_int_equal(python->element[1]->integer, 1); /* depth */
    assert_int_equal(python->element[2]->integer, 2); /* workers */
    assert_int_equal(python->element[3]->integer, 6); /* slots */
    assert_int_equal(python->element[4]->integer, 3); /* busy */
}

static void
test_a_worker_that_drains_serves_nothing(void **state)
{
    struct redis_fixture *redis = *state;
    beat(redis, "w1", "{\"state\":\"draining\",\"slots:python\":\"2\",\"busy:python\":\"1\"}");
    redisReply *reply = SCRIPT(redis, QUEUE_SCRIPT_REAP, "sweep", "5000", "python,");
    assert_int_equal(reply->element[2]->integer, 1);
    assert_int_equal(reply->element[3]->element[2]->integer, 0);
    assert_int_equal(reply->element[3]->element[3]->integer, 0);
    assert_int_equal(reply->element[3]->element[4]->integer, 1);
}

static void
test_who_claims_is_in_the_registry(void **state)
{
    struct redis_fixture *redis = *state;
    script_submit(redis, ID);
    script_move(redis);
    SCRIPT(redis, QUEUE_SCRIPT_CLAIM, "w1", "python");
    assert_int_equal(redis_fixture_int(redis, "ZCARD t:workers"), 1);
    assert_int_equal(redis_fixture_keys_without_expiry(redis), 0);
}

static void
test_workers_of_version_0_1_0_serve_python(void **state)
{
    struct redis_fixture *redis = *state;
    script_note_beat(redis, "old", FAR);
    redis_fixture_run(redis, "HSET t:worker:old info {\"held\":1,\"capacity\":3}");
    redisReply *reply = SCRIPT(redis, QUEUE_SCRIPT_REAP, "sweep", "5000", "python,");
    assert_int_equal(reply->element[3]->element[2]->integer, 1);
    assert_int_equal(reply->element[3]->element[3]->integer, 4);
}

static void
test_a_sweep_answers_what_waited_too_long_in_a_queue_that_nobody_serves(void **state)
{
    struct redis_fixture *redis = *state;
    SCRIPT(redis, QUEUE_SCRIPT_SUBMIT, ID, "python", "10", "0", "7000", "0", "0", MAP, "", "2");
    script_submit(redis, "fresh");
    redis_fixture_run(redis, "DEBUG SLEEP 0.002");
    redisReply *reply = SCRIPT(redis, QUEUE_SCRIPT_REAP, "sweep", "5000", "python,");
    assert_int_equal(reply->element[0]->element[EXPIRED]->integer, 1);
    assert_string_equal(script_state(redis), "expired");
    assert_int_equal(redis_fixture_int(redis, "LLEN t:queue:python"), 1);
}

/* ---- cancelled by another than its client ---- */

static void
test_a_cancelled_job_s_client_gets_the_verdict(void **state)
{
    struct redis_fixture *redis = *state;
    struct result result;
    struct err err = ERR_INIT;
    script_submit(redis, "other");
    script_submit(redis, ID);
    assert_string_equal(SCRIPT(redis, QUEUE_SCRIPT_CANCEL, ID, "", "cancel", "")->str, "queued");
    redisReply *reply = redis_fixture_run(redis, "GET t:result:" ID);
    if (codec_unpack_result(reply->str, reply->len, &result, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(result.error, ERR_NONE);
    assert_int_equal(result.verdict, VERDICT_CANCELLED);
    result_fini(&result);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:queue:python"), 1);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:reply:" ID), 1);
}

static void
test_an_id_that_is_in_use_is_refused(void **state)
{
    struct redis_fixture *redis = *state;
    script_submit(redis, ID);
    redisReply *reply = SCRIPT(redis, QUEUE_SCRIPT_SUBMIT, ID, "python", "10", "5000", "7000", "0",
                               "0", MAP, "", "2");
    assert_int_equal(reply->element[0]->integer, -1);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:queue:python"), 1);
}

/* ---- what is not ours ---- */

static void
test_a_foreign_value_under_a_job_s_key_is_set_aside(void **state)
{
    struct redis_fixture *redis = *state;
    script_submit(redis, ID);
    script_move(redis);
    redis_fixture_run(redis, "DEL t:job:" ID);
    redis_fixture_run(redis, "SET t:job:" ID " foreign");
    assert_int_equal(SCRIPT(redis, QUEUE_SCRIPT_CLAIM, "w1", "python")->integer, 1);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:dead"), 1);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:inflight:w1"), 0);
    assert_string_equal(SCRIPT(redis, QUEUE_SCRIPT_CANCEL, ID, "", "hangup", MAP)->str, "missing");
}

static void
test_a_record_without_its_fields_stops_nothing(void **state)
{
    static const char *const modes[] = {"evict", "leave"};
    struct redis_fixture *redis = *state;
    for (size_t i = 0; i < 2; i++) {
        redis_fixture_run(redis, "FLUSHALL");
        script_submit(redis, ID);
        script_move(redis);
        redis_fixture_run(redis, "DEL t:job:" ID);
        redis_fixture_run(redis, "HSET t:job:" ID " state running owner w1");
        SCRIPT(redis, QUEUE_SCRIPT_REAP, modes[i], "w1");
        assert_int_equal(redis_fixture_int(redis, "EXISTS t:inflight:w1"), 0);
    }
}

static void
test_in_flight_lists_that_are_none_stop_no_sweep(void **state)
{
    struct redis_fixture *redis = *state;
    redis_fixture_run(redis, "SET t:inflight:w1 foreign");
    script_note_beat(redis, "w1", "1000");
    script_sweep(redis);
    script_sweep(redis);
    assert_int_equal(redis_fixture_int(redis, "EXISTS t:workers"), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, script_world_flush)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_dead_worker_leaves_the_registry_and_its_jobs_the_list),
        TEST(test_a_job_that_was_taken_over_is_not_finished_by_who_had_it),
        TEST(test_a_late_result_leaves_what_its_worker_has_moved_alone),
        TEST(test_what_a_dead_worker_s_last_blmove_moved_is_found),
        TEST(test_who_was_started_once_and_waits_too_long_is_lost),
        TEST(test_as_many_attempts_as_the_client_allows),
        TEST(test_after_a_gap_workers_have_the_time_of_an_expiry),
        TEST(test_a_beat_sweeps_too),
        TEST(test_a_beat_names_the_jobs_that_others_have),
        TEST(test_a_worker_s_name_is_taken_while_its_beat_is_fresh),
        TEST(test_a_sweep_says_what_the_fleet_does),
        TEST(test_a_worker_that_drains_serves_nothing),
        TEST(test_who_claims_is_in_the_registry),
        TEST(test_workers_of_version_0_1_0_serve_python),
        TEST(test_a_sweep_answers_what_waited_too_long_in_a_queue_that_nobody_serves),
        TEST(test_a_cancelled_job_s_client_gets_the_verdict),
        TEST(test_an_id_that_is_in_use_is_refused),
        TEST(test_a_foreign_value_under_a_job_s_key_is_set_aside),
        TEST(test_a_record_without_its_fields_stops_nothing),
        TEST(test_in_flight_lists_that_are_none_stop_no_sweep),
    };
    return cmocka_run_group_tests(tests, script_world_setup, script_world_teardown);
}
