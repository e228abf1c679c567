/* link: tests/support/redis_fixture.c tests/support/redis_world.c */
/* Connections to a real Redis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/redis.h"
#include "common/redis_resolve.h"
#include "tests/support/redis_world.h"

static void
test_commands_sent_together_are_answered_in_order(void **state)
{
    struct redis_world *w = *state;
    redis_world_connect(w, w->redis.url);
    redis_world_run_until(w, &w->ups, 1);
    for (int i = 0; i < 100; i++)
        assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    assert_int_equal(redis_connection_outstanding(w->connection), 100);
    assert_int_equal(w->replies, 0);
    redis_world_run_until(w, &w->replies, 100);
    assert_int_equal(w->last_int, 100);
    assert_int_equal(redis_connection_outstanding(w->connection), 0);
}

static void
test_a_command_larger_than_the_socket_takes_at_once_arrives_whole(void **state)
{
    struct redis_world *w = *state;
    size_t size = 3 << 20;
    char *value = malloc(size + 1);
    memset(value, 'v', size);
    value[size] = '\0';
    redis_world_connect(w, w->redis.url);
    redis_world_run_until(w, &w->ups, 1);
    assert_int_equal(SEND(w, 0, "SET", "k", value), 0);
    assert_int_equal(SEND(w, 0, "STRLEN", "k"), 0);
    assert_int_equal(SEND(w, 0, "GET", "k"), 0);
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    redis_world_run_until(w, &w->replies, 4);
    assert_int_equal(w->last_int, 1);
    free(value);
}

static void
test_user_password_and_database_of_the_url_are_used(void **state)
{
    struct redis_world *w = *state;
    char url[160];
    redis_fixture_run(&w->redis, "ACL SETUSER u on >p@ss ~* +@all");
    snprintf(url, sizeof(url), "unix://u:p%%40ss@%s?db=3", w->redis.socket);
    redis_world_connect(w, url);
    redis_world_run_until(w, &w->ups, 1);
    assert_int_equal(SEND(w, 0, "SET", "here", "1"), 0);
    redis_world_run_until(w, &w->replies, 1);
    redis_fixture_run(&w->redis, "SELECT 3");
    assert_int_equal(redis_fixture_int(&w->redis, "EXISTS here"), 1);
}

static void
test_a_wrong_or_missing_password_is_said_and_tried_again(void **state)
{
    struct redis_world *w = *state;
    char url[160];
    redis_fixture_run(&w->redis, "CONFIG SET requirepass right");
    snprintf(url, sizeof(url), "unix://:wrong@%s", w->redis.socket);
    redis_world_connect(w, url);
    redis_world_run_until(w, &w->downs, 2);
    assert_non_null(strstr(w->down_text, "refused the user or password"));
    assert_null(strstr(w->down_text, "wrong@"));
    redis_connection_free(w->connection);
    w->downs = 0;
    redis_world_connect(w, w->redis.url);
    redis_world_run_until(w, &w->downs, 1);
    assert_non_null(strstr(w->down_text, "wants a password"));
    assert_int_equal(w->ups, 0);
}

static void
test_a_killed_connection_answers_each_command_once_and_comes_back(void **state)
{
    struct redis_world *w = *state;
    redis_world_connect(w, w->redis.url);
    redis_world_run_until(w, &w->ups, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(SEND(w, 9000, "BLPOP", "none", "9"), 0);
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    redis_fixture_run(&w->redis, "CLIENT KILL TYPE normal SKIPME yes");
    redis_world_run_until(w, &w->downs, 1);
    assert_int_equal(w->nulls, 3);
    assert_false(redis_connection_up(w->connection));
    assert_int_equal(SEND(w, 0, "INCR", "n"), -1);
    redis_world_run_until(w, &w->ups, 2);
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    redis_world_run_until(w, &w->replies, 1);
    assert_int_equal(w->nulls, 3);
}

static void
test_a_server_that_stands_still_is_given_up_after_the_timeout(void **state)
{
    struct redis_world *w = *state;
    redis_world_connect(w, w->redis.url);
    redis_world_run_until(w, &w->ups, 1);
    redis_fixture_freeze(&w->redis);
    uint64_t before = clock_monotonic_us();
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    redis_world_run_until(w, &w->nulls, 1);
    assert_in_range(clock_monotonic_us() - before, 300000, 1500000);
    assert_non_null(strstr(w->last_text, "did not answer within 300 ms"));
    redis_fixture_thaw(&w->redis);
    redis_world_run_until(w, &w->ups, 2);
}

static void
test_time_that_a_command_may_block_does_not_count(void **state)
{
    struct redis_world *w = *state;
    redis_world_connect(w, w->redis.url);
    redis_world_run_until(w, &w->ups, 1);
    assert_int_equal(SEND(w, 1000, "BLPOP", "none", "1"), 0);
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    redis_world_run_until(w, &w->replies, 2);
    assert_int_equal(w->downs, 0);
}

static void
test_an_error_reply_is_told_and_the_connection_stays(void **state)
{
    struct redis_world *w = *state;
    redis_fixture_run(&w->redis, "SET text x");
    redis_world_connect(w, w->redis.url);
    redis_world_run_until(w, &w->ups, 1);
    assert_int_equal(SEND(w, 0, "LPUSH", "text", "1"), 0);
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    redis_world_run_until(w, &w->replies, 1);
    assert_int_equal(w->errors, 1);
    assert_non_null(strstr(w->last_text, "foreign type"));
}

static void
test_a_connection_can_be_freed_in_the_callback_of_its_command(void **state)
{
    struct redis_world *w = *state;
    redis_world_connect(w, w->redis.url);
    redis_world_run_until(w, &w->ups, 1);
    w->free_in_reply = true;
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    redis_world_run_until(w, &w->replies, 1);
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    assert_int_equal(w->replies, 1);
}

static void
test_a_connection_can_be_freed_when_it_dies(void **state)
{
    struct redis_world *w = *state;
    redis_world_connect(w, w->redis.url);
    redis_world_run_until(w, &w->ups, 1);
    w->free_in_reply = true;
    assert_int_equal(SEND(w, 9000, "BLPOP", "none", "9"), 0);
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    redis_fixture_run(&w->redis, "CLIENT KILL TYPE normal SKIPME yes");
    redis_world_run_until(w, &w->nulls, 1);
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    assert_int_equal(w->nulls, 1);
    assert_int_equal(w->downs, 0);
}

static void
test_a_connection_waits_for_a_server_that_is_not_there_yet(void **state)
{
    struct redis_world *w = *state;
    redis_fixture_kill(&w->redis);
    redis_world_connect(w, w->redis.url);
    redis_world_run_until(w, &w->downs, 2);
    redis_fixture_revive(&w->redis);
    redis_world_run_until(w, &w->ups, 1);
}

static void
test_tcp_works_by_address_and_by_name(void **state)
{
    struct redis_world *w = *state;
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    char url[64];
    int port = 20000 + (int)(getpid() % 20000);
    while (redis_fixture_run(&w->redis, "CONFIG SET port %d", port)->type == REDIS_REPLY_ERROR)
        port++;
    redis_fixture_run(&w->redis, "CONFIG SET bind 127.0.0.1");
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        w->ups = w->replies = 0;
        snprintf(url, sizeof(url), "redis://%s:%d", hosts[i], port);
        redis_world_connect(w, url);
        redis_world_run_until(w, &w->ups, 1);
        assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
        redis_world_run_until(w, &w->replies, 1);
        redis_connection_free(w->connection);
        w->connection = NULL;
    }
}

static void
test_a_name_that_does_not_exist_is_said(void **state)
{
    struct redis_world *w = *state;
    redis_world_connect(w, "redis://name.invalid");
    redis_world_run_until(w, &w->downs, 1);
    assert_non_null(strstr(w->down_text, "name"));
    assert_true(redis_resolve_is_numeric("::1"));
    assert_false(redis_resolve_is_numeric("name.invalid"));
}

static void
test_a_connection_can_be_freed_while_its_name_is_resolved(void **state)
{
    struct redis_world *w = *state;
    redis_world_connect(w, "redis://name.invalid");
    for (int i = 0; i < 3; i++)
        event_base_loop(w->base, EVLOOP_NONBLOCK);
    redis_connection_free(w->connection);
    w->connection = NULL;
    const struct timeval slice = {.tv_usec = 100000};
    event_base_loopexit(w->base, &slice);
    event_base_dispatch(w->base);
    assert_int_equal(w->ups + w->downs, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, redis_world_setup, redis_world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_commands_sent_together_are_answered_in_order),
        TEST(test_a_command_larger_than_the_socket_takes_at_once_arrives_whole),
        TEST(test_user_password_and_database_of_the_url_are_used),
        TEST(test_a_wrong_or_missing_password_is_said_and_tried_again),
        TEST(test_a_killed_connection_answers_each_command_once_and_comes_back),
        TEST(test_a_server_that_stands_still_is_given_up_after_the_timeout),
        TEST(test_time_that_a_command_may_block_does_not_count),
        TEST(test_an_error_reply_is_told_and_the_connection_stays),
        TEST(test_a_connection_can_be_freed_in_the_callback_of_its_command),
        TEST(test_a_connection_can_be_freed_when_it_dies),
        TEST(test_a_connection_waits_for_a_server_that_is_not_there_yet),
        TEST(test_tcp_works_by_address_and_by_name),
        TEST(test_a_name_that_does_not_exist_is_said),
        TEST(test_a_connection_can_be_freed_while_its_name_is_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
