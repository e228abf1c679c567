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

static void
requests_follow_each_other_on_one_connection(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++) {
        say(fixture, HEALTH);
        assert_begins(hear(fixture), "HTTP/1.1 200 OK\r\n");
        assert_non_null(strstr(fixture->reply, "\r\n\r\n{\"status\":\"ok\""));
    }
    assert_int_equal(fixture->pool.count, 1);
}

static void
requests_sent_ahead_are_answered_in_order_one_at_a_time(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, RUN_X RUN_X HEALTH);
    assert_int_equal(fake_queue.submitted, 1);
    fake_queue_answer_text("one");
    assert_int_equal(fake_queue.submitted, 2);
    assert_non_null(strstr(hear(fixture), "\"stdout\":\"one\""));
    fake_queue_answer_text("two");
    assert_non_null(strstr(hear(fixture), "\"stdout\":\"two\""));
    assert_non_null(strstr(fixture->reply, "{\"status\":\"ok\""));
}

static void
a_request_may_come_byte_by_byte(void **state)
{
    struct fixture *fixture = *state;
    for (const char *at = RUN_X; *at; at++) {
        assert_int_equal(send(fixture->client, at, 1, MSG_NOSIGNAL), 1);
        turn_loop(fixture);
    }
    assert_int_equal(fake_queue.submitted, 1);
}

static void
head_gets_the_length_and_no_body(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_begins(hear(fixture), "HTTP/1.1 200 OK\r\n");
    assert_non_null(strstr(fixture->reply, "Content-Length: "));
    assert_null(strstr(fixture->reply, "Content-Length: 0"));
    assert_string_equal(strstr(fixture->reply, "\r\n\r\n"), "\r\n\r\n");
    say(fixture, HEALTH);
    assert_begins(hear(fixture), "HTTP/1.1 200 OK\r\n");
}

static void
options_name_the_methods(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, "OPTIONS /v1/execute HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_begins(hear(fixture), "HTTP/1.1 204 No Content\r\n");
    assert_non_null(strstr(fixture->reply, "\r\nAllow: POST, OPTIONS\r\n"));
    assert_null(strstr(fixture->reply, "Content-Length"));
}

static void
a_body_is_refused_before_it_is_sent(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, POST(200001, ""));
    assert_begins(hear(fixture), "HTTP/1.1 413 ");
    assert_non_null(strstr(fixture->reply, "MAX_BODY_BYTES"));
    assert_non_null(strstr(fixture->reply, "\r\nConnection: close\r\n"));
    say(fixture, "what still comes is thrown away");
    hear(fixture);
    assert_true(fixture->ended);
    assert_int_equal(fixture->pool.count, 1);
    hang_up(fixture);
    assert_int_equal(fixture->pool.count, 0);
}

static void
a_wrong_method_without_a_body_keeps_the_connection(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, "DELETE /v1/execute HTTP/1.1\r\nHost: x\r\n\r\n" HEALTH);
    assert_begins(hear(fixture), "HTTP/1.1 405 ");
    assert_non_null(strstr(fixture->reply, "\r\nAllow: POST, OPTIONS\r\n"));
    assert_non_null(strstr(fixture->reply, "HTTP/1.1 200 OK\r\n"));
}

static void
rubbish_is_answered_and_the_connection_closed(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, "rubbish\r\n\r\n");
    assert_begins(hear(fixture), "HTTP/1.1 400 Bad Request\r\n");
    assert_non_null(strstr(fixture->reply, "\"detail\":\""));
    hear(fixture);
    assert_true(fixture->ended);
}

static void
expect_is_answered_before_the_body(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, "POST /v1/execute HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                 "Content-Length: 12\r\nExpect: 100-continue\r\n\r\n");
    assert_string_equal(hear(fixture), "HTTP/1.1 100 Continue\r\n\r\n");
    say(fixture, "{\"code\":\"x\"}");
    fake_queue_answer_text("y");
    assert_begins(hear(fixture), "HTTP/1.1 200 OK\r\n");
}

static void
a_hang_up_while_waiting_cancels_the_job_at_once(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, RUN_X);
    hang_up(fixture);
    assert_int_equal(fake_queue.cancelled, 1);
    assert_int_equal(fixture->pool.count, 0);
}

static void
a_half_close_while_waiting_is_a_hang_up(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, RUN_X);
    shutdown(fixture->client, SHUT_WR);
    turn_loop(fixture);
    assert_int_equal(fake_queue.cancelled, 1);
}

static void
a_half_close_does_not_lose_an_answer_that_needs_no_job(void **state)
{
    struct fixture *fixture = *state;
    assert_true(send(fixture->client, HEALTH HEALTH, 2 * strlen(HEALTH), MSG_NOSIGNAL) > 0);
    shutdown(fixture->client, SHUT_WR);
    turn_loop(fixture);
    const char *first = strstr(hear(fixture), "{\"status\":\"ok\"");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "{\"status\":\"ok\""));
    assert_int_equal(fixture->pool.count, 0);
}

static void
a_request_that_ends_too_soon_is_told_so(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, POST(12, "{\"code"));
    shutdown(fixture->client, SHUT_WR);
    turn_loop(fixture);
    assert_begins(hear(fixture), "HTTP/1.1 400 ");
    assert_int_equal(fixture->pool.count, 0);
    assert_int_equal(fake_queue.submitted, 0);
}

/* More sent ahead than is read while a job runs: the hang-up must be noticed all the same. */
static void
a_hang_up_is_noticed_behind_a_full_input_buffer(void **state)
{
    struct fixture *fixture = *state;
    static const char more[4096];
    int size = 1 << 20;
    setsockopt(fixture->client, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    say(fixture, RUN_X);
    size_t sent = 0;
    for (int i = 0; i < 100; i++) {
        ssize_t count = send(fixture->client, more, sizeof(more), MSG_NOSIGNAL | MSG_DONTWAIT);
        sent += count > 0 ? (size_t)count : 0;
        turn_loop(fixture);
    }
    assert_true(sent > 65536);
    assert_int_equal(fake_queue.cancelled, 0);
    hang_up(fixture);
    for (int i = 0; i < 50 && fake_queue.cancelled == 0; i++)
        event_base_loop(fixture->app.base, EVLOOP_ONCE);
    assert_int_equal(fake_queue.cancelled, 1);
    assert_int_equal(fixture->pool.count, 0);
}

static void
a_large_answer_reaches_a_slow_reader_whole(void **state)
{
    struct fixture *fixture = *state;
    const size_t size = 4u << 20;
    struct result result = {.verdict = VERDICT_EXITED};
    result.out.kept = (struct bytes){.data = malloc(size), .size = size};
    assert_non_null(result.out.kept.data);
    memset(result.out.kept.data, 'x', size);
    say(fixture, RUN_X);
    fake_queue_answer(&result, NULL);
    result_fini(&result);
    size_t got = 0, count = 0;
    while (hear(fixture), fixture->reply_size > 0) {
        got += fixture->reply_size;
        for (size_t i = 0; i < fixture->reply_size; i++)
            count += fixture->reply[i] == 'x';
    }
    assert_true(got > size);
    assert_in_range(count, size, size + 20);
    say(fixture, HEALTH);
    assert_begins(hear(fixture), "HTTP/1.1 200 OK\r\n");
}

static void
http_1_0_is_closed_unless_it_asks(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_non_null(strstr(hear(fixture), "\r\nConnection: keep-alive\r\n"));
    say(fixture, "GET /healthz HTTP/1.0\r\n\r\n");
    assert_non_null(strstr(hear(fixture), "\r\nConnection: close\r\n"));
    assert_int_equal(fixture->pool.count, 0);
}

static void
count_call(void *context)
{
    ++*(int *)context;
}

/* Turns the loop until the server has closed; how long that was, in ms. */
static uint64_t
wait_for_the_end(struct fixture *fixture, int client)
{
    uint64_t began_us = clock_monotonic_us();
    char byte;
    while (recv(client, &byte, 1, 0) != 0 && clock_monotonic_us() - began_us < 10000000)
        event_base_loop(fixture->app.base, EVLOOP_ONCE);
    return (clock_monotonic_us() - began_us) / 1000;
}

static void
draining_closes_the_idle_and_answers_the_busy(void **state)
{
    struct fixture *fixture = *state;
    int idle = open_client(fixture);
    int drained = 0;
    say(fixture, RUN_X);
    connection_pool_drain(&fixture->pool, count_call, &drained);
    assert_true(wait_for_the_end(fixture, idle) <= 5000);
    assert_int_equal(drained, 0);
    fake_queue_answer_text("late");
    assert_non_null(strstr(hear(fixture), "\"stdout\":\"late\""));
    assert_non_null(strstr(fixture->reply, "\r\nConnection: close\r\n"));
    assert_int_equal(drained, 1);
    close(idle);
}

static void
who_has_just_been_idle_may_send_one_more_request_into_a_drain(void **state)
{
    struct fixture *fixture = *state;
    int drained = 0;
    say(fixture, HEALTH);
    assert_null(strstr(hear(fixture), "\r\nConnection: close\r\n"));
    connection_pool_drain(&fixture->pool, count_call, &drained);
    turn_loop(fixture);
    assert_int_equal(drained, 0);
    say(fixture, HEALTH);
    assert_begins(hear(fixture), "HTTP/1.1 200 ");
    assert_non_null(strstr(fixture->reply, "\r\nConnection: close\r\n"));
    assert_int_equal(drained, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_follow_each_other_on_one_connection),
        TEST(requests_sent_ahead_are_answered_in_order_one_at_a_time),
        TEST(a_request_may_come_byte_by_byte),
        TEST(head_gets_the_length_and_no_body),
        TEST(options_name_the_methods),
        TEST(a_body_is_refused_before_it_is_sent),
        TEST(a_wrong_method_without_a_body_keeps_the_connection),
        TEST(rubbish_is_answered_and_the_connection_closed),
        TEST(expect_is_answered_before_the_body),
        TEST(a_hang_up_while_waiting_cancels_the_job_at_once),
        TEST(a_half_close_while_waiting_is_a_hang_up),
        TEST(a_half_close_does_not_lose_an_answer_that_needs_no_job),
        TEST(a_request_that_ends_too_soon_is_told_so),
        TEST(a_hang_up_is_noticed_behind_a_full_input_buffer),
        TEST(a_large_answer_reaches_a_slow_reader_whole),
        TEST(http_1_0_is_closed_unless_it_asks),
        TEST(draining_closes_the_idle_and_answers_the_busy),
        TEST(who_has_just_been_idle_may_send_one_more_request_into_a_drain),
    };
    log_init("test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
