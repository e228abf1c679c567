/* link: tests/support/redis_fixture.c tests/support/script_world.c */
/* The scripts one by one: every state against every operation, and what they return. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/codec.h"
#include "common/queue_keys.h"
#include "common/queue_scripts.h"
#include "tests/support/script_world.h"

/* ---- every state against every operation ---- */

static const char *const states[] = {"queued", "running", "done", "expired", "cancelled", "lost"};
#define STATE_COUNT (sizeof(states) / sizeof(states[0]))

/* ---- the operations ---- */

static void
claim(struct redis_fixture *redis, const char *what)
{
    (void)what;
    SCRIPT(redis, QUEUE_SCRIPT_CLAIM, "w1", "python");
}

static void
finish(struct redis_fixture *redis, const char *what)
{
    SCRIPT(redis, QUEUE_SCRIPT_FINISH, "w1", ID, "1", what, "result", "");
}

static void
hang_up(struct redis_fixture *redis, const char *what)
{
    (void)what;
    SCRIPT(redis, QUEUE_SCRIPT_CANCEL, ID, "python", "hangup", MAP);
}

static void
check_start_by(struct redis_fixture *redis, const char *what)
{
    (void)what;
    SCRIPT(redis, QUEUE_SCRIPT_CANCEL, ID, "python", "start_by", MAP);
}

static void
give_up(struct redis_fixture *redis, const char *what)
{
    (void)what;
    SCRIPT(redis, QUEUE_SCRIPT_CANCEL, ID, "python", "answer_by", MAP);
}

static void
release(struct redis_fixture *redis, const char *what)
{
    SCRIPT(redis, QUEUE_SCRIPT_REAP, "release", "w1", ID, "1", what);
}

static void
compare(struct redis_fixture *redis, const char *what)
{
    (void)what;
    SCRIPT(redis, QUEUE_SCRIPT_REAP, "beat", "w1", "{}", "5000", "1", "", "4000");
}

static void
compare_known(struct redis_fixture *redis, const char *what)
{
    (void)what;
    SCRIPT(redis, QUEUE_SCRIPT_REAP, "beat", "w1", "{}", "5000", "1", ID ":1,", "4000");
}

static void
hand_back(struct redis_fixture *redis, const char *what)
{
    SCRIPT(redis, QUEUE_SCRIPT_REAP, "return", "w1", ID, "1", what);
}

static void
leave(struct redis_fixture *redis, const char *what)
{
    (void)what;
    SCRIPT(redis, QUEUE_SCRIPT_REAP, "leave", "w1");
}

static void
evict(struct redis_fixture *redis, const char *what)
{
    (void)what;
    SCRIPT(redis, QUEUE_SCRIPT_REAP, "evict", "w1");
}

static void
requeue(struct redis_fixture *redis, const char *what)
{
    (void)what;
    SCRIPT(redis, QUEUE_SCRIPT_REAP, "requeue", ID);
}

static void
sweep_dead(struct redis_fixture *redis, const char *what)
{
    (void)what;
    script_note_beat(redis, "w1", "1000");
    script_sweep(redis);
}

static void
sweep_after_a_gap(struct redis_fixture *redis, const char *what)
{
    (void)what;
    script_note_beat(redis, "w1", "1000");
    SCRIPT(redis, QUEUE_SCRIPT_REAP, "sweep", "5000", "python,");
}

static void
sweep_alive(struct redis_fixture *redis, const char *what)
{
    (void)what;
    script_note_beat(redis, "w1", FAR);
    script_sweep(redis);
}

static void
cancel(struct redis_fixture *redis, const char *what)
{
    (void)what;
    SCRIPT(redis, QUEUE_SCRIPT_CANCEL, ID, "", "cancel", "");
}

/* What each operation makes of the states, in the order of states[]; NULL: it stays. */
static const struct {
    void (*apply)(struct redis_fixture *redis, const char *what); /* what: w1's element */
    const char *name;
    const char *after[STATE_COUNT];
    bool late; /* start_by has passed */
    const char *attempts;
} operations[] = {
    {claim, "claim", {"running"}, false, "1"},
    {claim, "claim after start_by", {"expired"}, true, "0"},
    {finish, "finish", {NULL, "done"}, false, "1"},
    {hang_up, "cancel hangup", {"cancelled"}, false, "1"},
    {check_start_by, "cancel start_by too early", {NULL}, false, "1"},
    {claim, "claim after start_by of a job that was started", {"lost"}, true, "1"},
    {check_start_by, "cancel start_by of a job that was started", {"lost"}, true, "1"},
    {check_start_by, "cancel start_by", {"expired"}, true, "0"},
    {give_up, "cancel answer_by", {"expired"}, false, "0"},
    {release, "release", {NULL, "queued"}, false, "1"},
    {compare, "reap a lost claim", {NULL, "queued"}, false, "1"},
    {compare, "reap a second lost claim", {NULL, "lost"}, false, "2"},
    {compare_known, "reap a known job", {NULL}, false, "2"},
    {hand_back, "return", {NULL, "queued"}, false, "1"},
    {hand_back, "return for the second time", {NULL, "lost"}, false, "2"},
    {hand_back, "return after start_by", {NULL, "lost"}, true, "1"},
    {leave, "leave", {NULL, "queued"}, false, "1"},
    {leave, "leave after start_by", {"lost", "lost"}, true, "1"},
    {evict, "evict", {NULL, "queued"}, false, "1"},
    {evict, "evict for the second time", {NULL, "lost"}, false, "2"},
    {requeue, "requeue", {NULL, "queued"}, false, "1"},
    {requeue, "requeue for the second time", {NULL, "lost"}, false, "2"},
    {sweep_dead, "sweep of a dead worker", {NULL, "queued"}, false, "1"},
    {sweep_dead, "sweep of a second dead worker", {NULL, "lost"}, false, "2"},
    {sweep_dead, "sweep of a dead worker after start_by", {"lost", "lost"}, true, "1"},
    {sweep_after_a_gap, "sweep after a gap", {NULL}, false, "1"},
    {sweep_alive, "sweep of a worker that lives", {NULL}, false, "1"},
    {cancel, "cancel by another", {"cancelled"}, false, "1"},
};
#define OPERATION_COUNT (sizeof(operations) / sizeof(operations[0]))

static void
test_every_state_meets_every_operation(void **state)
{
    struct redis_fixture *redis = *state;
    for (size_t o = 0; o < OPERATION_COUNT; o++) {
        for (size_t s = 0; s < STATE_COUNT; s++) {
            const char *expected = operations[o].after[s] ? operations[o].after[s] : states[s];
            redis_fixture_run(redis, "FLUSHALL");
            script_submit(redis, ID);
            script_move(redis);
            redis_fixture_run(redis,
                              "HSET t:job:" ID " state %s owner w1 epoch 1 attempts %s claimed 0 "
                              "start_by %s",
                              states[s], operations[o].attempts, operations[o].late ? LATE : FAR);
            operations[o].apply(redis, script_element(redis));
            if (strcmp(script_state(redis), expected) != 0)
                fail_msg("%s on %s: %s", operations[o].name, states[s], script_state(redis));
            assert_int_equal(redis_fixture_keys_without_expiry(redis), 0);
        }
    }
}

static void
test_an_operation_on_a_job_that_is_not_there_makes_none(void **state)
{
    struct redis_fixture *redis = *state;
    for (size_t o = 0; o < OPERATION_COUNT; o++) {
        redis_fixture_run(redis, "FLUSHALL");
        script_submit(redis, ID);
        script_move(redis);
        redis_fixture_run(redis, "DEL t:job:" ID);
        operations[o].apply(redis, script_element(redis));
        assert_string_equal(script_state(redis), "missing");
    }
}

/* ---- submit ---- */

static void
test_submit_returns_deadlines_in_redis_s_clock(void **state)
{
    redisReply *reply =
        SCRIPT(*state, QUEUE_SCRIPT_SUBMIT, ID, "python", "10", "5000", "7000", "0", "0", MAP, "");
    assert_int_equal(reply->elements, 4);
    assert_int_equal(reply->element[2]->integer, reply->element[1]->integer / 1000 + 5000);
    assert_int_equal(reply->element[3]->integer, reply->element[2]->integer + 7000);
}

static void
test_submitting_again_answers_from_the_record_and_adds_nothing(void **state)
{
    struct redis_fixture *redis = *state;
    script_submit(redis, ID);
    redisReply *reply =
        SCRIPT(redis, QUEUE_SCRIPT_SUBMIT, ID, "python", "1", "9999", "7000", "0", "1", MAP, "");
    assert_int_equal(reply->element[0]->integer, 1);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:queue:python"), 1);
    reply = SCRIPT(redis, QUEUE_SCRIPT_SUBMIT, "new", "python", "10", "9999", "7000", "0", "1", MAP,
                   "");
    assert_int_equal(reply->element[0]->integer, 1);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:queue:python"), 2);
}

static void
test_a_full_queue_refuses_wakes_the_waiter_and_keeps_nothing(void **state)
{
    struct redis_fixture *redis = *state;
    script_submit(redis, "other");
    redisReply *reply = SCRIPT(redis, QUEUE_SCRIPT_SUBMIT, ID, "python", "1", "5000", "7000", "0",
                               "0", MAP, "blob");
    assert_int_equal(reply->element[0]->integer, 0);
    assert_int_equal(reply->element[1]->integer, 1);
    assert_string_equal(script_state(redis), "missing");
    assert_int_equal(redis_fixture_int(redis, "EXISTS t:blob:" ID), 0);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:reply:" ID), 1);
}

/* ---- claim, finish, cancel ---- */

static void
test_claim_returns_what_a_worker_needs(void **state)
{
    struct redis_fixture *redis = *state;
    SCRIPT(redis, QUEUE_SCRIPT_SUBMIT, ID, "python", "10", "5000", "7000", "0", "0", MAP, "blob");
    script_move(redis);
    redisReply *reply = SCRIPT(redis, QUEUE_SCRIPT_CLAIM, "w1", "python");
    assert_int_equal(reply->elements, 8);
    assert_int_equal(reply->element[1]->integer, 1);
    assert_int_equal(reply->element[2]->integer, 1);
    assert_true(reply->element[3]->integer >= 0);
    assert_string_equal(reply->element[4]->str, ID);
    assert_int_equal((unsigned char)reply->element[5]->str[0], 0x95);
    assert_string_equal(reply->element[6]->str, "blob");
    assert_int_equal(reply->element[7]->integer, 0);
    reply = SCRIPT(redis, QUEUE_SCRIPT_CLAIM, "w1", "python");
    assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
}

static void
test_claim_leaves_jobs_of_other_languages_alone(void **state)
{
    struct redis_fixture *redis = *state;
    script_submit(redis, ID);
    script_move(redis);
    redisReply *reply = SCRIPT(redis, QUEUE_SCRIPT_CLAIM, "w1", "ruby");
    assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
    assert_string_equal(script_state(redis), "queued");
    assert_int_equal(redis_fixture_int(redis, "LLEN t:inflight:w1"), 1);
}

static void
test_finish_may_be_repeated_and_wakes_once(void **state)
{
    struct redis_fixture *redis = *state;
    script_submit(redis, ID);
    script_move(redis);
    SCRIPT(redis, QUEUE_SCRIPT_CLAIM, "w1", "python");
    const char *what = script_element(redis);
    for (int i = 0; i < 2; i++) {
        redisReply *reply = SCRIPT(redis, QUEUE_SCRIPT_FINISH, "w1", ID, "1", what, "answer", "");
        assert_int_equal(reply->integer, 1);
    }
    assert_int_equal(redis_fixture_int(redis, "LLEN t:reply:" ID), 1);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:inflight:w1"), 0);
    assert_string_equal(redis_fixture_run(redis, "GET t:result:" ID)->str, "answer");
}

static void
test_finish_of_another_owner_or_epoch_is_refused(void **state)
{
    static const struct {
        const char *worker, *epoch;
    } wrong[] = {{"w2", "1"}, {"w1", "2"}, {"w1", "0"}};
    struct redis_fixture *redis = *state;
    script_submit(redis, ID);
    script_move(redis);
    SCRIPT(redis, QUEUE_SCRIPT_CLAIM, "w1", "python");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        redisReply *reply = SCRIPT(redis, QUEUE_SCRIPT_FINISH, wrong[i].worker, ID, wrong[i].epoch,
                                   "no element", "answer", "");
        assert_int_equal(reply->integer, 0);
        assert_string_equal(script_state(redis), "running");
        assert_int_equal(redis_fixture_int(redis, "EXISTS t:result:" ID), 0);
    }
}

static void
test_a_late_result_leaves_its_workers_next_claim_of_the_job_alone(void **state)
{
    struct redis_fixture *redis = *state;
    script_submit(redis, ID);
    script_move(redis);
    SCRIPT(redis, QUEUE_SCRIPT_CLAIM, "w1", "python");
    redis_fixture_run(redis, "HSET t:job:" ID " epoch 2");
    redis_fixture_run(redis, "LSET t:inflight:w1 0 element");
    redisReply *reply = SCRIPT(redis, QUEUE_SCRIPT_FINISH, "w1", ID, "1", "element", "answer", "");
    assert_int_equal(reply->integer, 0);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:inflight:w1"), 1);
}

static void
test_finish_without_a_record_still_gives_the_answer(void **state)
{
    struct redis_fixture *redis = *state;
    redisReply *reply = SCRIPT(redis, QUEUE_SCRIPT_FINISH, "w1", ID, "1", "x", "answer", "");
    assert_int_equal(reply->integer, 1);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:reply:" ID), 1);
    assert_int_equal(redis_fixture_keys_without_expiry(redis), 0);
}

static void
test_cancel_says_the_state_before_and_wakes_the_waiter(void **state)
{
    struct redis_fixture *redis = *state;
    assert_string_equal(SCRIPT(redis, QUEUE_SCRIPT_CANCEL, ID, "python", "hangup", MAP)->str,
                        "missing");
    script_submit(redis, ID);
    assert_string_equal(SCRIPT(redis, QUEUE_SCRIPT_CANCEL, ID, "python", "hangup", MAP)->str,
                        "queued");
    assert_int_equal(redis_fixture_int(redis, "LLEN t:queue:python"), 0);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:reply:" ID), 1);
    assert_string_equal(SCRIPT(redis, QUEUE_SCRIPT_CANCEL, ID, "python", "hangup", MAP)->str,
                        "cancelled");
}

/* ---- what scripts publish ---- */

static void
test_errors_that_scripts_publish_are_results_that_the_codec_understands(void **state)
{
    struct redis_fixture *redis = *state;
    struct result result;
    struct err err = ERR_INIT;
    script_submit(redis, ID);
    redis_fixture_run(redis, "HSET t:job:" ID " start_by " LATE);
    SCRIPT(redis, QUEUE_SCRIPT_CANCEL, ID, "python", "start_by", MAP);
    redisReply *reply = redis_fixture_run(redis, "GET t:result:" ID);
    if (codec_unpack_result(reply->str, reply->len, &result, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(result.id, ID);
    assert_int_equal(result.error, ERR_QUEUE_TIMEOUT);
    result_fini(&result);
}

static void
test_an_element_that_a_script_builds_is_understood(void **state)
{
    struct redis_fixture *redis = *state;
    struct job job = {.language = "python", .limits = {1, 2, 3, 4, 5, 6, 7, 8, 9}}, back;
    struct bytes map;
    bool has_input;
    struct err err = ERR_INIT;
    assert_int_equal(codec_pack_job(&job, true, &map, &err), 0);
    bytes_fini(&script_binary);
    script_binary = map;
    SCRIPT(redis, QUEUE_SCRIPT_SUBMIT, ID, "python", "10", "5000", "7000", "0", "0", map.data, "");
    script_move(redis);
    script_element(redis); /* frees map, too */
    if (codec_unpack_element(script_binary.data, script_binary.size, &back, &has_input, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(back.id, ID);
    assert_int_equal(back.limits.output_bytes, 4);
    assert_int_equal(back.limits.artifacts_total_bytes, 9);
    assert_int_equal(back.answer_by_ms - back.start_by_ms, 7000);
    job_fini(&back);
}

static void
test_dead_letters_are_capped(void **state)
{
    struct redis_fixture *redis = *state;
    for (int i = 0; i < 150; i++)
        redis_fixture_run(redis, "LPUSH t:inflight:w1 rubbish%d", i);
    assert_int_equal(SCRIPT(redis, QUEUE_SCRIPT_CLAIM, "w1", "python")->integer, 150);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:dead"), 100);
    assert_int_equal(redis_fixture_int(redis, "LLEN t:inflight:w1"), 0);
}

/* ---- names ---- */

static void
test_names_that_would_spoil_a_key_are_refused(void **state)
{
    static const char *const bad[] = {"", "a b", "a:b", "a\n", "\xc3\xbc", "0123456789012345678"};
    char prefix[QUEUE_PREFIX_SIZE];
    char large[QUEUE_PREFIX_SIZE + 1];
    struct err err = ERR_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(queue_name_check("name", bad[i], 16, &err), -1);
    assert_int_equal(queue_name_check("name", "Host.1_a-b", 16, &err), 0);
    memset(large, 'p', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    assert_int_equal(queue_prefix_copy(prefix, large, &err), -1);
    assert_int_equal(queue_prefix_copy(prefix, "a b", &err), -1);
    assert_int_equal(queue_prefix_copy(prefix, "", &err), 0);
    assert_string_equal(queue_key("p:", QUEUE_KEY_RESULT, "x").text, "p:result:x");
}

#define TEST(name) cmocka_unit_test_setup(name, script_world_flush)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_state_meets_every_operation),
        TEST(test_an_operation_on_a_job_that_is_not_there_makes_none),
        TEST(test_submit_returns_deadlines_in_redis_s_clock),
        TEST(test_submitting_again_answers_from_the_record_and_adds_nothing),
        TEST(test_a_full_queue_refuses_wakes_the_waiter_and_keeps_nothing),
        TEST(test_claim_returns_what_a_worker_needs),
        TEST(test_claim_leaves_jobs_of_other_languages_alone),
        TEST(test_finish_may_be_repeated_and_wakes_once),
        TEST(test_finish_of_another_owner_or_epoch_is_refused),
        TEST(test_a_late_result_leaves_its_workers_next_claim_of_the_job_alone),
        TEST(test_finish_without_a_record_still_gives_the_answer),
        TEST(test_cancel_says_the_state_before_and_wakes_the_waiter),
        TEST(test_errors_that_scripts_publish_are_results_that_the_codec_understands),
        TEST(test_an_element_that_a_script_builds_is_understood),
        TEST(test_dead_letters_are_capped),
        TEST(test_names_that_would_spoil_a_key_are_refused),
    };
    return cmocka_run_group_tests(tests, script_world_setup, script_world_teardown);
}
