#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/script_world.h"

struct bytes script_binary;

int
script_world_setup(void **state)
{
    struct redis_fixture *redis = calloc(1, sizeof(*redis));
    assert_non_null(redis);
    redis_fixture_start(redis);
    *state = redis;
    return 0;
}

int
script_world_teardown(void **state)
{
    redis_fixture_stop(*state);
    bytes_fini(&script_binary);
    free(*state);
    return 0;
}

int
script_world_flush(void **state)
{
    redis_fixture_run(*state, "FLUSHALL");
    return 0;
}

redisReply *
script_call(struct redis_fixture *redis, enum queue_script script, unsigned count,
            const char *const *further)
{
    const char *args[16] = {"EVAL", queue_script_text(script), "0", "t:"};
    size_t sizes[16];
    static redisReply *last;
    for (unsigned i = 0; i < count; i++)
        args[4 + i] = further[i];
    for (unsigned i = 0; i < count + 4; i++)
        sizes[i] = args[i] == script_binary.data ? script_binary.size : strlen(args[i]);
    if (last)
        freeReplyObject(last);
    last = redisCommandArgv(redis->context, (int)count + 4, args, sizes);
    assert_non_null(last);
    if (last->type == REDIS_REPLY_ERROR)
        fail_msg("%s", last->str);
    return last;
}

void
script_submit(struct redis_fixture *redis, const char *id)
{
    redisReply *reply =
        SCRIPT(redis, QUEUE_SCRIPT_SUBMIT, id, "python", "10", "5000", "7000", "0", "0", MAP, "");
    assert_int_equal(reply->element[0]->integer, 1);
}

void
script_move(struct redis_fixture *redis)
{
    redis_fixture_run(redis, "LMOVE t:queue:python t:inflight:w1 RIGHT LEFT");
    redis_fixture_run(redis, "EXPIRE t:inflight:w1 100"); /* as claim does */
}

const char *
script_state(struct redis_fixture *redis)
{
    redisReply *reply = redis_fixture_run(redis, "HGET t:job:" ID " state");
    return reply->str ? reply->str : "missing";
}

const char *
script_element(struct redis_fixture *redis)
{
    redisReply *reply = redis_fixture_run(redis, "LINDEX t:inflight:w1 0");
    bytes_fini(&script_binary);
    if (reply->type == REDIS_REPLY_STRING)
        assert_int_equal(bytes_copy(&script_binary, reply->str, reply->len), 0);
    return script_binary.data ? script_binary.data : "";
}

redisReply *
script_sweep(struct redis_fixture *redis)
{
    redis_fixture_run(redis, "HSET t:sweeps last %s quiet_until 0", FAR);
    redis_fixture_run(redis, "EXPIRE t:sweeps 100");
    return SCRIPT(redis, QUEUE_SCRIPT_REAP, "sweep", "5000", "python,");
}

void
script_note_beat(struct redis_fixture *redis, const char *worker, const char *ms)
{
    redis_fixture_run(redis, "ZADD t:workers %s %s", ms, worker);
    redis_fixture_run(redis, "EXPIRE t:workers 100");
}
