#include "admin/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CONNECT_TIMEOUT_MS 3000
#define COMMAND_TIMEOUT_MS 5000

static void
on_up(void *context)
{
    struct session *session = context;

    session->up = true;
}

static void
on_down(void *context, const struct err *err)
{
    struct session *session = context;

    if (session->down)
        return;
    session->down = true;
    session->why = *err;
}

static int
turn(struct session *session, struct err *err)
{
    if (session->down) {
        *err = session->why;
        err->code = ERR_UNAVAILABLE;
        return -1;
    }
    if (event_base_loop(session->base, EVLOOP_ONCE) < 0)
        return err_set(err, ERR_SYSTEM, 0, "the event loop failed");
    return 0;
}

int
session_open(struct session *session, const struct config *config, struct err *err)
{
    const struct redis_options options = {.url = &session->url,
                                          .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                          .command_timeout_ms = COMMAND_TIMEOUT_MS,
                                          .on_up = on_up,
                                          .on_down = on_down,
                                          .context = session};

    *session = (struct session){.base = NULL};
    if (queue_prefix_copy(session->prefix, config->redis_prefix, err) < 0)
        return -1;
    if (redis_url_parse(&session->url, config->redis_url, err) < 0)
        return err_wrap(err, "REDIS_URL");
    session->base = event_base_new();
    if (!session->base)
        return err_set(err, ERR_SYSTEM, ENOMEM, "making the event loop");
    session->connection = redis_connection_new(session->base, &options, err);
    if (!session->connection)
        return -1;
    while (!session->up) {
        if (turn(session, err) < 0)
            return -1;
    }
    return 0;
}

void
session_close(struct session *session)
{
    redis_connection_free(session->connection);
    if (session->base)
        event_base_free(session->base);
    redis_url_fini(&session->url);
}

void
session_send(struct session *session, const struct redis_command *command, redis_reply_fn *on_reply,
             void *context)
{
    struct err err = ERR_INIT;

    if (redis_send(session->connection, command, 0, on_reply, context, &err) == 0)
        return;
    on_reply(context, NULL, &err);
    on_down(session, &err);
}

void
session_ask(struct session *session, const char *const words[], redis_reply_fn *on_reply,
            void *context)
{
    struct redis_command command;

    redis_command_init(&command, words[0]);
    for (size_t i = 1; words[i]; i++)
        redis_command_add_text(&command, words[i]);
    session_send(session, &command, on_reply, context);
}

static void
on_time(void *context, const struct redis_reply *reply, const struct err *err)
{
    int64_t *now_us = context, parts[2] = {0, 0};

    (void)err;
    for (size_t i = 0; i < 2; i++) {
        size_t size;
        const char *text = redis_reply_bytes(redis_reply_item(reply, i), &size);
        parts[i] = text ? strtoll(text, NULL, 10) : 0;
    }
    *now_us = parts[0] * 1000000 + parts[1];
}

void
session_ask_time(struct session *session, int64_t *now_us)
{
    session_ask(session, (const char *const[]){"TIME", NULL}, on_time, now_us);
}

int
session_wait(struct session *session, struct err *err)
{
    while (redis_connection_outstanding(session->connection) > 0 || session->down) {
        if (turn(session, err) < 0)
            return -1;
    }
    return 0;
}

static void
on_timer(evutil_socket_t fd, short events, void *context)
{
    bool *fired = context;

    (void)fd;
    (void)events;
    *fired = true;
}

int
session_sleep(struct session *session, unsigned ms, struct err *err)
{
    const struct timeval delay = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    bool fired = false;

    if (event_base_once(session->base, -1, EV_TIMEOUT, on_timer, &fired, &delay) < 0)
        return err_set(err, ERR_SYSTEM, ENOMEM, "starting a timer");
    while (!fired) {
        if (turn(session, err) < 0)
            return -1;
    }
    return 0;
}

struct queue_key
session_key(const struct session *session, const char *kind, const char *name)
{
    struct queue_key key;

    (void)snprintf(key.text, sizeof(key.text), "%s%s%s", session->prefix, kind, name);
    return key;
}
