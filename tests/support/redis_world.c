#include "tests/support/redis_world.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "common/clock.h"
#include "common/log.h"

static void
on_up(void *context)
{
    struct redis_world *w = context;
    w->ups++;
}

static void
on_down(void *context, const struct err *err)
{
    struct redis_world *w = context;
    w->downs++;
    memcpy(w->down_text, err->text, sizeof(w->down_text));
}

static void
on_reply(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct redis_world *w = context;
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

void
redis_world_connect(struct redis_world *w, const char *url)
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

void
redis_world_run_until(struct redis_world *w, const unsigned *value, unsigned at_least)
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

int
redis_world_send(struct redis_world *w, uint32_t block_ms, unsigned count, const char *const *args)
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
int
redis_world_setup(void **state)
{
    struct redis_world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    signal(SIGPIPE, SIG_IGN);
    log_init("test", LOG_ERROR);
    redis_fixture_start(&w->redis);
    w->base = event_base_new();
    *state = w;
    return 0;
}

int
redis_world_teardown(void **state)
{
    struct redis_world *w = *state;
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

static void
hang_up(struct redis_world *w, struct bufferevent *bev)
{
    for (unsigned i = 0; i < w->accepted; i++)
        if (w->peers[i] == bev)
            w->peers[i] = NULL;
    bufferevent_free(bev);
}

static void
on_fake_read(struct bufferevent *bev, void *context)
{
    struct redis_world *w = context;
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
    struct redis_world *w = context;
    (void)listener, (void)address, (void)size;
    assert_true(w->accepted < sizeof(w->peers) / sizeof(w->peers[0]));
    struct bufferevent *bev = bufferevent_socket_new(w->base, fd, BEV_OPT_CLOSE_ON_FREE);
    w->peers[w->accepted++] = bev;
    bufferevent_setcb(bev, on_fake_read, NULL, on_fake_event, w);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
}

void
redis_world_serve(struct redis_world *w, const char *answer, bool close_then)
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
    redis_world_connect(w, url);
}
