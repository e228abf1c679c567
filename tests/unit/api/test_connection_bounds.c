/* link: tests/unit/api/fake_queue.c tests/unit/api/connection_fixture.c */
/* ldflags: -Wl,--wrap=queue_submit -Wl,--wrap=queue_request_cancel */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/app.h"
#include "api/connection.h"
#include "common/clock.h"
#include "common/log.h"
#include "tests/unit/api/connection_fixture.h"
#include "tests/unit/api/fake_queue.h"

/* What a client may hold, and for how long. */

/* A head, and so much of the body that it names. */
static int
open_with_body(struct fixture *fixture, size_t size)
{
    static const char head[] = "POST /v1/execute HTTP/1.1\r\nHost: x\r\n"
                               "Content-Type: application/json\r\nContent-Length: 200000\r\n\r\n";
    static char spaces[200000];
    memset(spaces, ' ', sizeof(spaces));
    int client = open_client(fixture);
    assert_int_equal(send(client, head, sizeof(head) - 1, MSG_NOSIGNAL), sizeof(head) - 1);
    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(client, spaces, size - sent, MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        turn_loop(fixture);
    }
    return client;
}

static void
bodies_are_bounded_all_together(void **state)
{
    struct fixture *fixture = *state;
    char answer[1000] = "";
    int first = open_with_body(fixture, 199999);
    assert_in_range(fixture->pool.held_bytes, 199999, 299999);
    int second = open_with_body(fixture, 150000);
    assert_true(recv(second, answer, sizeof(answer) - 1, 0) > 0);
    assert_begins(answer, "HTTP/1.1 503 ");
    assert_non_null(strstr(answer, "\r\nRetry-After: 1\r\n"));
    /* The one that was there before goes on. */
    assert_int_equal(send(first, "x", 1, MSG_NOSIGNAL), 1);
    turn_loop(fixture);
    assert_true(recv(first, answer, sizeof(answer) - 1, 0) > 0);
    assert_begins(answer, "HTTP/1.1 422 ");
    close(first);
    close(second);
}

static void
what_is_done_with_is_held_no_longer(void **state)
{
    struct fixture *fixture = *state;
    char answer[1000];
    int client = open_with_body(fixture, 200000);
    assert_true(recv(client, answer, sizeof(answer) - 1, 0) > 0);
    assert_int_equal(fixture->pool.count, 2);
    assert_int_equal(fixture->pool.held_bytes, 0);
    close(client);
}

static void
what_a_slow_reader_has_not_taken_counts(void **state)
{
    struct fixture *fixture = *state;
    const size_t size = 4u << 20;
    struct result result = {.verdict = VERDICT_EXITED};
    result.out.kept = (struct bytes){.data = calloc(1, size), .size = size};
    say(fixture, RUN_X);
    fake_queue_answer(&result, NULL);
    result_fini(&result);
    assert_true(fixture->pool.held_bytes > size / 2);
    char answer[1000] = "";
    int other = open_with_body(fixture, 1);
    assert_true(recv(other, answer, sizeof(answer) - 1, 0) > 0);
    assert_begins(answer, "HTTP/1.1 503 ");
    close(other);
    while (hear(fixture), fixture->reply_size > 0)
        ;
    assert_int_equal(fixture->pool.held_bytes, 0);
}

/* The loop turns for 5 ms. */
static void
turn_a_while(struct fixture *fixture)
{
    const struct timeval limit = {.tv_usec = 5000};
    event_base_loopexit(fixture->app.base, &limit);
    event_base_dispatch(fixture->app.base);
}

/* Both directions: the pace counts, not that something moves. */
static void
a_body_that_trickles_ends_within_a_bound(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.idle_timeout_ms = 60;
    say(fixture, POST(2000, ""));
    uint64_t began_us = clock_monotonic_us();
    do {
        (void)!send(fixture->client, " ", 1, MSG_NOSIGNAL);
        turn_a_while(fixture);
        hear(fixture);
    } while (fixture->reply_size == 0 && !fixture->ended &&
             clock_monotonic_us() - began_us < 5000000);
    assert_begins(fixture->reply, "HTTP/1.1 408 ");
}

static void
a_reader_that_trickles_is_closed_within_a_bound(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.idle_timeout_ms = 60;
    struct result result = {.verdict = VERDICT_EXITED};
    result.out.kept = (struct bytes){.data = calloc(1, 1 << 20), .size = 1 << 20};
    say(fixture, RUN_X);
    fake_queue_answer(&result, NULL);
    result_fini(&result);
    uint64_t began_us = clock_monotonic_us();
    while (fixture->pool.count > 0 && clock_monotonic_us() - began_us < 5000000) {
        char byte;
        (void)!recv(fixture->client, &byte, 1, 0);
        turn_a_while(fixture);
    }
    assert_int_equal(fixture->pool.count, 0);
}

static void
silence_is_closed_without_a_word(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.idle_timeout_ms = 30;
    say(fixture, HEALTH);
    hear(fixture);
    await(fixture);
    assert_true(fixture->ended);
    assert_int_equal(fixture->pool.count, 0);
}

static void
a_request_that_stops_arriving_gets_408(void **state)
{
    static const char *const starts[] = {"GET /hea", POST(12, "{\"co")};
    struct fixture *fixture = *state;
    fixture->config.idle_timeout_ms = 30;
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        say(fixture, starts[i]);
        await(fixture);
        assert_begins(fixture->reply, "HTTP/1.1 408 ");
        hang_up(fixture);
        fixture->client = open_client(fixture);
    }
}

static void
a_reader_that_stops_reading_is_closed(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.idle_timeout_ms = 30;
    struct result result = {.verdict = VERDICT_EXITED};
    result.out.kept = (struct bytes){.data = calloc(1, 1 << 20), .size = 1 << 20};
    say(fixture, RUN_X);
    fake_queue_answer(&result, NULL);
    result_fini(&result);
    const struct timeval limit = {.tv_sec = 5};
    event_base_loopexit(fixture->app.base, &limit);
    while (fixture->pool.count > 0 && !event_base_got_exit(fixture->app.base))
        event_base_loop(fixture->app.base, EVLOOP_ONCE);
    assert_int_equal(fixture->pool.count, 0);
}

static void
beyond_max_connections_the_idle_give_way_and_the_busy_do_not(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, "GET /");
    int busy = open_client(fixture);
    assert_int_equal(send(busy, "G", 1, MSG_NOSIGNAL), 1);
    turn_loop(fixture);
    int idle = open_client(fixture);
    int next = open_client(fixture);
    char reply[1024];
    assert_int_equal(recv(idle, reply, sizeof(reply), 0), 0);
    assert_int_equal(fixture->pool.count, 3);
    assert_int_equal(send(next, "G", 1, MSG_NOSIGNAL), 1);
    turn_loop(fixture);
    int refused = open_client(fixture);
    ssize_t size = recv(refused, reply, sizeof(reply), 0);
    assert_true(size > 0);
    assert_begins(reply, "HTTP/1.1 503 ");
    assert_int_equal(recv(refused, reply, sizeof(reply), 0), 0);
    assert_int_equal(fixture->pool.count, 3);
    const int clients[] = {busy, idle, next, refused};
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++)
        close(clients[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bodies_are_bounded_all_together),
        TEST(what_is_done_with_is_held_no_longer),
        TEST(what_a_slow_reader_has_not_taken_counts),
        TEST(a_body_that_trickles_ends_within_a_bound),
        TEST(a_reader_that_trickles_is_closed_within_a_bound),
        TEST(silence_is_closed_without_a_word),
        TEST(a_request_that_stops_arriving_gets_408),
        TEST(a_reader_that_stops_reading_is_closed),
        TEST(beyond_max_connections_the_idle_give_way_and_the_busy_do_not),
    };
    log_init("test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
