/* link: tests/support/redis_fixture.c tests/support/redis_world.c */
/* Connections to a server that misbehaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/redis.h"
#include "tests/support/redis_world.h"

static void
test_a_server_that_is_loading_is_waited_for(void **state)
{
    struct redis_world *w = *state;
    redis_world_serve(w, "-LOADING Redis is loading the dataset in memory\r\n", false);
    redis_world_run_until(w, &w->downs, 2);
    assert_non_null(strstr(w->down_text, "still loading"));
    w->answer = "+PONG\r\n";
    redis_world_run_until(w, &w->ups, 1);
}

static void
test_a_server_that_accepts_and_says_nothing_is_given_up(void **state)
{
    struct redis_world *w = *state;
    redis_world_serve(w, NULL, false);
    redis_world_run_until(w, &w->downs, 1);
    assert_non_null(strstr(w->down_text, "did not accept within 300 ms"));
}

static void
test_a_server_that_hangs_up_at_once_is_tried_again(void **state)
{
    struct redis_world *w = *state;
    redis_world_serve(w, NULL, true);
    redis_world_run_until(w, &w->downs, 3);
    assert_int_equal(w->ups, 0);
}

static void
test_an_answer_that_is_no_redis_protocol_ends_the_connection(void **state)
{
    struct redis_world *w = *state;
    redis_world_serve(w, "+PONG\r\n", false);
    redis_world_run_until(w, &w->ups, 1);
    w->answer = "HTTP/1.1 200 OK\r\n\r\n";
    assert_int_equal(SEND(w, 0, "GET", "a"), 0);
    assert_int_equal(SEND(w, 0, "GET", "b"), 0);
    redis_world_run_until(w, &w->downs, 1);
    assert_int_equal(w->nulls, 2);
}

static void
test_an_answer_cut_by_the_end_of_the_connection_is_none(void **state)
{
    struct redis_world *w = *state;
    redis_world_serve(w, "+PONG\r\n", false);
    redis_world_run_until(w, &w->ups, 1);
    w->answer = "$100\r\nabc";
    w->close_then = true;
    assert_int_equal(SEND(w, 0, "GET", "a"), 0);
    redis_world_run_until(w, &w->downs, 1);
    assert_int_equal(w->nulls, 1);
    assert_int_equal(w->replies, 0);
}

static void
test_a_server_that_became_a_replica_is_left_for_the_new_master(void **state)
{
    struct redis_world *w = *state;
    redis_world_serve(w, "+PONG\r\n", false);
    redis_world_run_until(w, &w->ups, 1);
    w->answer = "-READONLY You can't write against a read only replica.\r\n";
    assert_int_equal(SEND(w, 0, "SET", "a", "b"), 0);
    redis_world_run_until(w, &w->downs, 1);
    assert_int_equal(w->errors, 1);
    assert_int_equal(w->nulls, 0);
    assert_non_null(strstr(w->down_text, "read-only replica"));
    w->answer = "+PONG\r\n";
    redis_world_run_until(w, &w->ups, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, redis_world_setup, redis_world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_server_that_is_loading_is_waited_for),
        TEST(test_a_server_that_accepts_and_says_nothing_is_given_up),
        TEST(test_a_server_that_hangs_up_at_once_is_tried_again),
        TEST(test_an_answer_that_is_no_redis_protocol_ends_the_connection),
        TEST(test_a_server_that_became_a_replica_is_left_for_the_new_master),
        TEST(test_an_answer_cut_by_the_end_of_the_connection_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
