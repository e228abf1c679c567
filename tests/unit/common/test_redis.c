/* link: tests/support/redis_fixture.c */
/* Connections: to a real Redis, and to a server of the test's own that misbehaves. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/redis.h"
#include "common/redis_internal.h"
#include "common/redis_resolve.h"
#include "tests/support/redis_fixture.h"

struct world {
    struct redis_fixture redis;
    struct event_base *base;
    struct redis_url url;
    struct redis_connection *connection;
    unsigned ups, downs;
    char down_text[320];
    unsigned replies, errors, nulls; /* calls of on_reply by kind */
    int64_t last_int;
    char last_text[320];
    bool free_in_reply;
    bool in_send;
    /* the server of the test's own */
    struct evconnlistener *listener;
    const char *answer; /* to whatever comes; NULL: none */
    bool close_then;
    struct bufferevent *peers[16];
    unsigned accepted;
};

static void
on_up(void *context)
{
    struct world *w = context;
    w->ups++;
}

static void
on_down(void *context, const struct err *err)
{
    struct world *w = context;
    w->downs++;
    memcpy(w->down_text, err->text, sizeof(w->down_text));
}

static void
on_reply(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct world *w = context;
    assert_false(w->in_send);
    if (err)
        memcpy(w->last_text, err->text, sizeof(w->last_text));
    if (!err)
        w->replies++;
    else if (reply)
        w->errors++;
    else
        w->nulls++;
    w->last_int = redis_reply_int(reply, -1);
    if (w->free_in_reply) {
        redis_connection_free(w->connection);
        w->connection = NULL;
    }
}

static void
connect_to(struct world *w, const char *url)
{
    struct err err = ERR_INIT;
    redis_url_fini(&w->url);
    if (redis_url_parse(&w->url, url, &err) < 0)
        fail_msg("%s", err.text);
    const struct redis_options options = {.url = &w->url,
                                          .connect_timeout_ms = 300,
                                          .command_timeout_ms = 300,
                                          .on_up = on_up,
                                          .on_down = on_down,
                                          .context = w};
    w->connection = redis_connection_new(w->base, &options, &err);
    assert_non_null(w->connection);
}

static void
on_tick(evutil_socket_t fd, short events, void *context)
{
    (void)fd, (void)events;
    event_base_loopbreak(context);
}

static void
run_until(struct world *w, const unsigned *value, unsigned at_least)
{
    const struct timeval slice = {.tv_usec = 20000};
    uint64_t deadline = clock_monotonic_us() + 5000000;
    struct event *tick = event_new(w->base, -1, EV_PERSIST, on_tick, w->base);
    event_add(tick, &slice);
    while (*value < at_least) {
        if (clock_monotonic_us() > deadline)
            fail_msg("%u of %u", *value, at_least);
        event_base_loop(w->base, EVLOOP_ONCE);
    }
    event_free(tick);
}

static int
send_args(struct world *w, uint32_t block_ms, unsigned count, const char *const *args)
{
    struct redis_command command;
    struct err err = ERR_INIT;
    redis_command_init(&command, args[0]);
    for (unsigned i = 1; i < count; i++)
        redis_command_add_text(&command, args[i]);
    w->in_send = true;
    int rc = redis_send(w->connection, &command, block_ms, on_reply, w, &err);
    w->in_send = false;
    return rc;
}
#define SEND(w, block_ms, ...)                                                                     \
    send_args(w, block_ms, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                 \
              (const char *[]){__VA_ARGS__})

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    signal(SIGPIPE, SIG_IGN);
    log_init("test", LOG_ERROR);
    redis_fixture_start(&w->redis);
    w->base = event_base_new();
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;
    redis_connection_free(w->connection);
    if (w->listener)
        evconnlistener_free(w->listener);
    for (unsigned i = 0; i < w->accepted; i++)
        if (w->peers[i])
            bufferevent_free(w->peers[i]);
    event_base_free(w->base);
    redis_url_fini(&w->url);
    redis_fixture_stop(&w->redis);
    free(w);
    return 0;
}

/* ---- a real Redis ---- */

static void
test_commands_sent_together_are_answered_in_order(void **state)
{
    struct world *w = *state;
    connect_to(w, w->redis.url);
    run_until(w, &w->ups, 1);
    for (int i = 0; i < 100; i++)
        assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    assert_int_equal(redis_connection_outstanding(w->connection), 100);
    assert_int_equal(w->replies, 0);
    run_until(w, &w->replies, 100);
    assert_int_equal(w->last_int, 100);
    assert_int_equal(redis_connection_outstanding(w->connection), 0);
}

static void
test_a_command_larger_than_the_socket_takes_at_once_arrives_whole(void **state)
{
    struct world *w = *state;
    size_t size = 3 << 20;
    char *value = malloc(size + 1);
    memset(value, 'v', size);
    value[size] = '\0';
    connect_to(w, w->redis.url);
    run_until(w, &w->ups, 1);
    assert_int_equal(SEND(w, 0, "SET", "k", value), 0);
    assert_int_equal(SEND(w, 0, "STRLEN", "k"), 0);
    assert_int_equal(SEND(w, 0, "GET", "k"), 0);
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    run_until(w, &w->replies, 4);
    assert_int_equal(w->last_int, 1);
    free(value);
}

static void
test_user_password_and_database_of_the_url_are_used(void **state)
{
    struct world *w = *state;
    char url[160];
    redis_fixture_run(&w->redis, "ACL SETUSER u on >p@ss ~* +@all");
    snprintf(url, sizeof(url), "unix://u:p%%40ss@%s?db=3", w->redis.socket);
    connect_to(w, url);
    run_until(w, &w->ups, 1);
    assert_int_equal(SEND(w, 0, "SET", "here", "1"), 0);
    run_until(w, &w->replies, 1);
    redis_fixture_run(&w->redis, "SELECT 3");
    assert_int_equal(redis_fixture_int(&w->redis, "EXISTS here"), 1);
}

static void
test_a_wrong_or_missing_password_is_said_and_tried_again(void **state)
{
    struct world *w = *state;
    char url[160];
    redis_fixture_run(&w->redis, "CONFIG SET requirepass right");
    snprintf(url, sizeof(url), "unix://:wrong@%s", w->redis.socket);
    connect_to(w, url);
    run_until(w, &w->downs, 2);
    assert_non_null(strstr(w->down_text, "refused the user or password"));
    assert_null(strstr(w->down_text, "wrong@"));
    redis_connection_free(w->connection);
    w->downs = 0;
    connect_to(w, w->redis.url);
    run_until(w, &w->downs, 1);
    assert_non_null(strstr(w->down_text, "wants a password"));
    assert_int_equal(w->ups, 0);
}

static void
test_a_killed_connection_answers_each_command_once_and_comes_back(void **state)
{
    struct world *w = *state;
    connect_to(w, w->redis.url);
    run_until(w, &w->ups, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(SEND(w, 9000, "BLPOP", "none", "9"), 0);
    run_until(w, &w->accepted, 0);
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    redis_fixture_run(&w->redis, "CLIENT KILL TYPE normal SKIPME yes");
    run_until(w, &w->downs, 1);
    assert_int_equal(w->nulls, 3);
    assert_false(redis_connection_up(w->connection));
    assert_int_equal(SEND(w, 0, "INCR", "n"), -1);
    run_until(w, &w->ups, 2);
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    run_until(w, &w->replies, 1);
    assert_int_equal(w->nulls, 3);
}

static void
test_a_server_that_stands_still_is_given_up_after_the_timeout(void **state)
{
    struct world *w = *state;
    connect_to(w, w->redis.url);
    run_until(w, &w->ups, 1);
    redis_fixture_freeze(&w->redis);
    uint64_t before = clock_monotonic_us();
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    run_until(w, &w->nulls, 1);
    assert_in_range(clock_monotonic_us() - before, 300000, 1500000);
    assert_non_null(strstr(w->last_text, "did not answer within 300 ms"));
    redis_fixture_thaw(&w->redis);
    run_until(w, &w->ups, 2);
}

static void
test_time_that_a_command_may_block_does_not_count(void **state)
{
    struct world *w = *state;
    connect_to(w, w->redis.url);
    run_until(w, &w->ups, 1);
    assert_int_equal(SEND(w, 1000, "BLPOP", "none", "1"), 0);
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    run_until(w, &w->replies, 2);
    assert_int_equal(w->downs, 0);
}

static void
test_an_error_reply_is_told_and_the_connection_stays(void **state)
{
    struct world *w = *state;
    redis_fixture_run(&w->redis, "SET text x");
    connect_to(w, w->redis.url);
    run_until(w, &w->ups, 1);
    assert_int_equal(SEND(w, 0, "LPUSH", "text", "1"), 0);
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    run_until(w, &w->replies, 1);
    assert_int_equal(w->errors, 1);
    assert_non_null(strstr(w->last_text, "foreign type"));
}

static void
test_a_connection_can_be_freed_in_the_callback_of_its_command(void **state)
{
    struct world *w = *state;
    connect_to(w, w->redis.url);
    run_until(w, &w->ups, 1);
    w->free_in_reply = true;
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    run_until(w, &w->replies, 1);
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    assert_int_equal(w->replies, 1);
}

static void
test_a_connection_can_be_freed_when_it_dies(void **state)
{
    struct world *w = *state;
    connect_to(w, w->redis.url);
    run_until(w, &w->ups, 1);
    w->free_in_reply = true;
    assert_int_equal(SEND(w, 9000, "BLPOP", "none", "9"), 0);
    assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    redis_fixture_run(&w->redis, "CLIENT KILL TYPE normal SKIPME yes");
    run_until(w, &w->nulls, 1);
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    assert_int_equal(w->nulls, 1);
    assert_int_equal(w->downs, 0);
}

static void
test_a_connection_waits_for_a_server_that_is_not_there_yet(void **state)
{
    struct world *w = *state;
    redis_fixture_kill(&w->redis);
    connect_to(w, w->redis.url);
    run_until(w, &w->downs, 2);
    redis_fixture_revive(&w->redis);
    run_until(w, &w->ups, 1);
}

static void
test_tcp_works_by_address_and_by_name(void **state)
{
    struct world *w = *state;
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    char url[64];
    int port = 20000 + (int)(getpid() % 20000);
    while (redis_fixture_run(&w->redis, "CONFIG SET port %d", port)->type == REDIS_REPLY_ERROR)
        port++;
    redis_fixture_run(&w->redis, "CONFIG SET bind 127.0.0.1");
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        w->ups = w->replies = 0;
        snprintf(url, sizeof(url), "redis://%s:%d", hosts[i], port);
        connect_to(w, url);
        run_until(w, &w->ups, 1);
        assert_int_equal(SEND(w, 0, "INCR", "n"), 0);
        run_until(w, &w->replies, 1);
        redis_connection_free(w->connection);
        w->connection = NULL;
    }
}

static void
test_a_name_that_does_not_exist_is_said(void **state)
{
    struct world *w = *state;
    connect_to(w, "redis://name.invalid");
    run_until(w, &w->downs, 1);
    assert_non_null(strstr(w->down_text, "name"));
    assert_true(redis_resolve_is_numeric("::1"));
    assert_false(redis_resolve_is_numeric("name.invalid"));
}

static void
test_a_connection_can_be_freed_while_its_name_is_resolved(void **state)
{
    struct world *w = *state;
    connect_to(w, "redis://name.invalid");
    for (int i = 0; i < 3; i++)
        event_base_loop(w->base, EVLOOP_NONBLOCK);
    redis_connection_free(w->connection);
    w->connection = NULL;
    unsigned never = 0;
    const struct timeval slice = {.tv_usec = 100000};
    event_base_loopexit(w->base, &slice);
    event_base_dispatch(w->base);
    assert_int_equal(never + w->ups, 0);
}

/* ---- a server of our own ---- */

static void
hang_up(struct world *w, struct bufferevent *bev)
{
    for (unsigned i = 0; i < w->accepted; i++)
        if (w->peers[i] == bev)
            w->peers[i] = NULL;
    bufferevent_free(bev);
}

static void
on_fake_read(struct bufferevent *bev, void *context)
{
    struct world *w = context;
    struct evbuffer *in = bufferevent_get_input(bev);
    evbuffer_drain(in, evbuffer_get_length(in));
    if (w->answer)
        send(bufferevent_getfd(bev), w->answer, strlen(w->answer), MSG_NOSIGNAL);
    if (w->close_then)
        hang_up(w, bev);
}

static void
on_fake_event(struct bufferevent *bev, short events, void *context)
{
    (void)events;
    hang_up(context, bev);
}

static void
on_fake_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
               int size, void *context)
{
    struct world *w = context;
    (void)listener, (void)address, (void)size;
    assert_true(w->accepted < sizeof(w->peers) / sizeof(w->peers[0]));
    struct bufferevent *bev = bufferevent_socket_new(w->base, fd, BEV_OPT_CLOSE_ON_FREE);
    w->peers[w->accepted++] = bev;
    bufferevent_setcb(bev, on_fake_read, NULL, on_fake_event, w);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void
serve(struct world *w, const char *answer, bool close_then)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char url[140];
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/fake", w->redis.directory);
    snprintf(url, sizeof(url), "unix://%s", address.sun_path);
    w->answer = answer;
    w->close_then = close_then;
    w->listener = evconnlistener_new_bind(w->base, on_fake_accept, w, LEV_OPT_CLOSE_ON_FREE, -1,
                                          (struct sockaddr *)&address, sizeof(address));
    assert_non_null(w->listener);
    connect_to(w, url);
}

static void
test_a_server_that_is_loading_is_waited_for(void **state)
{
    struct world *w = *state;
    serve(w, "-LOADING Redis is loading the dataset in memory\r\n", false);
    run_until(w, &w->downs, 2);
    assert_non_null(strstr(w->down_text, "still loading"));
    w->answer = "+PONG\r\n";
    run_until(w, &w->ups, 1);
}

static void
test_a_server_that_accepts_and_says_nothing_is_given_up(void **state)
{
    struct world *w = *state;
    serve(w, NULL, false);
    run_until(w, &w->downs, 1);
    assert_non_null(strstr(w->down_text, "did not accept within 300 ms"));
}

static void
test_a_server_that_hangs_up_at_once_is_tried_again(void **state)
{
    struct world *w = *state;
    serve(w, NULL, true);
    run_until(w, &w->downs, 3);
    assert_int_equal(w->ups, 0);
}

static void
test_an_answer_that_is_no_redis_protocol_ends_the_connection(void **state)
{
    struct world *w = *state;
    serve(w, "+PONG\r\n", false);
    run_until(w, &w->ups, 1);
    w->answer = "HTTP/1.1 200 OK\r\n\r\n";
    assert_int_equal(SEND(w, 0, "GET", "a"), 0);
    assert_int_equal(SEND(w, 0, "GET", "b"), 0);
    run_until(w, &w->downs, 1);
    assert_int_equal(w->nulls, 2);
}

static void
test_an_answer_cut_by_the_end_of_the_connection_is_none(void **state)
{
    struct world *w = *state;
    serve(w, "+PONG\r\n", false);
    run_until(w, &w->ups, 1);
    w->answer = "$100\r\nabc";
    w->close_then = true;
    assert_int_equal(SEND(w, 0, "GET", "a"), 0);
    run_until(w, &w->downs, 1);
    assert_int_equal(w->nulls, 1);
    assert_int_equal(w->replies, 0);
}

/* ---- pure parts ---- */

static void
test_errors_of_redis_become_sentences(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
    } rows[] = {
        {"OOM command not allowed when used memory > 'maxmemory'.", ERR_UNAVAILABLE},
        {"ERR Error running script: @user_script:3: OOM command", ERR_UNAVAILABLE},
        {"READONLY You can't write against a read only replica.", ERR_UNAVAILABLE},
        {"LOADING Redis is loading", ERR_UNAVAILABLE},
        {"NOAUTH Authentication required.", ERR_UNAVAILABLE},
        {"WRONGTYPE Operation against a key", ERR_PROTOCOL},
        {"ERR unknown command 'BLMOVE'", ERR_PROTOCOL},
        {"SOMETHING new", ERR_PROTOCOL},
        {"", ERR_PROTOCOL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = ERR_INIT;
        assert_int_equal(redis_error_describe(rows[i].text, &err), -1);
        assert_int_equal(err.code, rows[i].code);
        assert_non_null(strstr(err.text, rows[i].text));
    }
}

static void
test_looking_into_no_reply_finds_nothing(void **state)
{
    size_t size;
    (void)state;
    assert_false(redis_reply_is_nil(NULL));
    assert_false(redis_reply_is_noscript(NULL));
    assert_null(redis_reply_bytes(NULL, &size));
    assert_int_equal(redis_reply_int(NULL, 7), 7);
    assert_int_equal(redis_reply_count(NULL), 0);
    assert_null(redis_reply_item(NULL, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
        TEST(test_a_server_that_is_loading_is_waited_for),
        TEST(test_a_server_that_accepts_and_says_nothing_is_given_up),
        TEST(test_a_server_that_hangs_up_at_once_is_tried_again),
        TEST(test_an_answer_that_is_no_redis_protocol_ends_the_connection),
        TEST(test_an_answer_cut_by_the_end_of_the_connection_is_none),
        cmocka_unit_test(test_errors_of_redis_become_sentences),
        cmocka_unit_test(test_looking_into_no_reply_finds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
