/* link: tests/support/redis_fixture.c tests/support/redis_world.c */
/* Scripts, called on a real Redis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/redis_script.h"
#include "tests/support/redis_world.h"

REDIS_SCRIPT_EMBED(join_text, "tests/unit/common/join.lua");

static struct {
    unsigned replies, errors, nulls;
    char text[64];
} seen;

static void
on_reply(void *context, const struct redis_reply *reply, const struct err *err)
{
    size_t size;
    const char *text = redis_reply_bytes(reply, &size);
    (void)context;
    seen.replies++;
    seen.errors += err != NULL;
    seen.nulls += reply == NULL;
    snprintf(seen.text, sizeof(seen.text), "%.*s", text ? (int)size : 0, text ? text : "");
}

static struct redis_script_call *
call(struct redis_world *w, struct redis_script *script, const char *first)
{
    struct redis_command command;
    struct err err = ERR_INIT;
    redis_script_begin(script, &command);
    redis_command_add_text(&command, first);
    redis_command_add_bytes(&command, "", 0);
    redis_command_add_int(&command, -7);
    return redis_script_send(script, w->connection, &command, on_reply, NULL, &err);
}

static void
link_up(struct redis_world *w)
{
    memset(&seen, 0, sizeof(seen));
    redis_world_connect(w, w->redis.url);
    redis_world_run_until(w, &w->ups, 1);
}

static long long
calls_of(struct redis_world *w, const char *command)
{
    const char *stats = redis_fixture_run(&w->redis, "INFO commandstats")->str;
    char name[64];
    long long count = 0;
    snprintf(name, sizeof(name), "cmdstat_%s:calls=", command);
    const char *found = strstr(stats, name);
    if (found)
        sscanf(found + strlen(name), "%lld", &count);
    return count;
}

static void
test_the_first_call_goes_by_text_and_later_ones_by_digest(void **state)
{
    struct redis_world *w = *state;
    struct redis_script script = REDIS_SCRIPT_INIT(join_text);
    link_up(w);
    assert_non_null(call(w, &script, "a"));
    redis_world_run_until(w, &seen.replies, 1);
    assert_string_equal(seen.text, "a||-7");
    for (unsigned i = 2; i < 5; i++) {
        assert_non_null(call(w, &script, "b"));
        redis_world_run_until(w, &seen.replies, i);
        assert_string_equal(seen.text, "b||-7");
    }
    assert_int_equal(calls_of(w, "eval"), 1);
    assert_int_equal(calls_of(w, "evalsha"), 3);
    redis_script_fini(&script);
}

static void
test_a_call_that_meets_a_flushed_cache_is_answered_all_the_same(void **state)
{
    struct redis_world *w = *state;
    struct redis_script script = REDIS_SCRIPT_INIT(join_text);
    link_up(w);
    call(w, &script, "a");
    redis_world_run_until(w, &seen.replies, 1);
    call(w, &script, "b");
    redis_world_run_until(w, &seen.replies, 2);
    redis_fixture_run(&w->redis, "SCRIPT FLUSH");
    call(w, &script, "c");
    call(w, &script, "d");
    redis_world_run_until(w, &seen.replies, 4);
    assert_int_equal(seen.errors, 0);
    assert_string_equal(seen.text, "d||-7");
    redis_script_fini(&script);
}

static void
test_a_forgotten_call_calls_nobody(void **state)
{
    struct redis_world *w = *state;
    struct redis_script script = REDIS_SCRIPT_INIT(join_text);
    link_up(w);
    redis_script_forget(call(w, &script, "a"));
    call(w, &script, "b");
    redis_world_run_until(w, &seen.replies, 1);
    assert_string_equal(seen.text, "b||-7");
    redis_script_fini(&script);
}

static void
test_a_lost_connection_is_told_once_and_no_connection_is_refused(void **state)
{
    struct redis_world *w = *state;
    struct redis_script script = REDIS_SCRIPT_INIT(join_text);
    link_up(w);
    redis_fixture_freeze(&w->redis);
    assert_non_null(call(w, &script, "a"));
    redis_world_run_until(w, &seen.replies, 1);
    assert_int_equal(seen.errors, 1);
    assert_int_equal(seen.nulls, 1);
    assert_null(call(w, &script, "a"));
    redis_fixture_thaw(&w->redis);
    redis_script_fini(&script);
}

static void
test_an_error_of_the_script_is_told(void **state)
{
    struct redis_world *w = *state;
    struct redis_script script = REDIS_SCRIPT_INIT("return redis.error_reply('WRONG no')");
    link_up(w);
    call(w, &script, "a");
    redis_world_run_until(w, &seen.replies, 1);
    assert_int_equal(seen.errors, 1);
    assert_int_equal(seen.nulls, 0);
    redis_script_fini(&script);
}

static void
test_calls_of_a_freed_connection_are_dropped(void **state)
{
    struct redis_world *w = *state;
    struct redis_script script = REDIS_SCRIPT_INIT(join_text);
    link_up(w);
    call(w, &script, "a");
    redis_connection_free(w->connection);
    w->connection = NULL;
    redis_script_fini(&script);
    assert_int_equal(seen.replies, 0);
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, redis_world_setup, redis_world_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_the_first_call_goes_by_text_and_later_ones_by_digest),
        ROW(test_a_call_that_meets_a_flushed_cache_is_answered_all_the_same),
        ROW(test_a_forgotten_call_calls_nobody),
        ROW(test_a_lost_connection_is_told_once_and_no_connection_is_refused),
        ROW(test_an_error_of_the_script_is_told),
        ROW(test_calls_of_a_freed_connection_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
