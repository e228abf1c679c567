/*
 * Theory of operation. A connection walks DOWN -> (RESOLVING) -> CONNECTING -> GREETING -> UP ->
 * DOWN and so on. One timer serves it: in DOWN it ends the backoff, while connecting it is the
 * connect timeout, in UP it watches the oldest outstanding command. hiredis 0.14 has no timeouts
 * for asynchronous connections, and would wait for ever for a peer that went away silently.
 *
 * Redis answers in order, so outstanding commands form a queue and only its head needs watching.
 * The timer is armed when the first command leaves and looks again when it fires; it is not
 * touched per reply.
 *
 * When hiredis drops its context, on whatever way, it answers all commands with NULL, and then the
 * link (redis_link.h) says that it is gone: that alone makes a connection DOWN. A connection may be
 * freed inside a callback, when hiredis puts off freeing the context; so the link and the commands
 * point to the connection and are cut off from it, never the other way round.
 */
#include "common/redis.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/redis_internal.h"
#include "common/redis_link.h"
#include "common/redis_resolve.h"

#define BACKOFF_FIRST_MS 50
#define BACKOFF_LAST_MS  2000

enum state { STATE_DOWN, STATE_RESOLVING, STATE_CONNECTING, STATE_GREETING, STATE_UP };

struct pending {
    struct pending *next;
    struct redis_connection *connection; /* NULL: cut off, nobody is told */
    redis_reply_fn *on_reply;
    void *context;
    uint64_t deadline_us; /* monotonic */
};

struct redis_connection {
    struct event_base *base;
    struct redis_options options;
    struct redis_resolve *resolve; /* in STATE_RESOLVING */
    struct redis_link *link;       /* from STATE_CONNECTING on */
    enum state state;
    struct event *timer;
    struct pending *head, **tail; /* oldest first */
    uint32_t outstanding;
    uint64_t last_deadline_us; /* the latest given to a command */
    uint32_t backoff_ms;       /* of the next attempt */
    bool complained;           /* about the present outage */
    struct err reason;         /* why the connection is going down; code ERR_NONE: not known yet */
};

static int start_connecting(struct redis_connection *connection, struct err *err);

static void
arm_timer(struct redis_connection *connection, uint64_t us)
{
    struct timeval delay = {.tv_sec = (time_t)(us / 1000000),
                            .tv_usec = (suseconds_t)(us % 1000000)};
    evtimer_add(connection->timer, &delay);
}

/* ---- going down and coming back ---- */

/* Half to the whole of the backoff, so that many clients do not come back at once. */
static uint32_t
next_delay_ms(struct redis_connection *connection)
{
    uint32_t random = 0, base = connection->backoff_ms;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
        random = (uint32_t)clock_monotonic_us();
    connection->backoff_ms = base * 2 > BACKOFF_LAST_MS ? BACKOFF_LAST_MS : base * 2;
    return base / 2 + random % (base / 2 + 1);
}

static void
note_reason(struct redis_connection *connection, const char *text)
{
    if (connection->reason.code == ERR_NONE)
        err_set(&connection->reason, ERR_UNAVAILABLE, 0, "the connection to Redis was lost (%s)",
                text && text[0] ? text : "closed");
}

/* Once for an outage, however many attempts it takes. */
static void
complain(struct redis_connection *connection)
{
    if (!connection->options.name || connection->complained)
        return;
    connection->complained = true;
    LOG(LOG_WARNING, "redis_down", {"connection", LOG_STR(connection->options.name)},
        {"message", LOG_STR(connection->reason.text)});
}

static void
go_down(struct redis_connection *connection)
{
    struct err reason;
    note_reason(connection, NULL);
    complain(connection);
    reason = connection->reason;
    connection->reason.code = ERR_NONE;
    connection->state = STATE_DOWN;
    arm_timer(connection, (uint64_t)next_delay_ms(connection) * 1000);
    if (connection->options.on_down)
        connection->options.on_down(connection->options.context, &reason); /* may free it */
}

static void
drop_link(struct redis_connection *connection)
{
    /* Refuses commands from now on, also while hiredis answers the outstanding ones. */
    if (connection->state == STATE_UP)
        connection->state = STATE_GREETING;
    redis_link_close(connection->link);
}

static void
greeted(struct redis_connection *connection)
{
    connection->state = STATE_UP;
    connection->backoff_ms = BACKOFF_FIRST_MS;
    connection->complained = false;
    evtimer_del(connection->timer);
    if (connection->options.name)
        LOG(LOG_INFO, "redis_up", {"connection", LOG_STR(connection->options.name)});
    if (connection->options.on_up)
        connection->options.on_up(connection->options.context);
}

static void
on_timer(evutil_socket_t fd, short events, void *context)
{
    struct redis_connection *connection = context;
    struct err err = ERR_INIT;
    (void)fd, (void)events;
    switch (connection->state) {
    case STATE_DOWN:
        if (start_connecting(connection, &err) < 0) {
            connection->reason = err;
            go_down(connection);
        }
        return;
    case STATE_RESOLVING:
        redis_resolve_cancel(connection->resolve);
        connection->resolve = NULL;
        err_set(&connection->reason, ERR_UNAVAILABLE, 0,
                "the name of Redis's host was not resolved within %u ms",
                connection->options.connect_timeout_ms);
        go_down(connection);
        return;
    case STATE_CONNECTING:
    case STATE_GREETING:
        err_set(&connection->reason, ERR_UNAVAILABLE, 0, "Redis did not accept within %u ms",
                connection->options.connect_timeout_ms);
        drop_link(connection);
        return;
    case STATE_UP:
        break;
    }
    if (!connection->head)
        return;
    uint64_t now = clock_monotonic_us();
    if (now < connection->head->deadline_us) {
        arm_timer(connection, connection->head->deadline_us - now);
        return;
    }
    err_set(&connection->reason, ERR_UNAVAILABLE, 0, "Redis did not answer within %u ms",
            connection->options.command_timeout_ms);
    drop_link(connection);
}

/* ---- commands ---- */

static void
take_head(struct redis_connection *connection)
{
    connection->head = connection->head->next;
    if (!connection->head)
        connection->tail = &connection->head;
    connection->outstanding--;
}

/*
 * The server was demoted under us. Its address may lead to the new master by now, so the
 * connection is made anew. hiredis frees the context after the callback that we are in.
 */
static void
leave_replica(struct redis_connection *connection, const char *text, const struct err *err)
{
    if (connection->state != STATE_UP || strncmp(text, "READONLY", 8) != 0)
        return;
    connection->reason = *err;
    drop_link(connection);
}

/* hiredis calls this exactly once for each command: reply NULL means that the connection died. */
static void
on_hiredis_reply(redisAsyncContext *context, void *raw, void *data)
{
    struct pending pending = *(struct pending *)data;
    struct redis_connection *connection = pending.connection;
    const redisReply *reply = raw;
    struct err err = ERR_INIT;
    if (connection)
        take_head(connection);
    free(data);
    if (!connection)
        return;
    if (!reply) {
        if (connection->state == STATE_UP)
            connection->state = STATE_GREETING; /* refuses commands from now on */
        note_reason(connection, context->errstr);
        err = connection->reason;
    } else if (reply->type == REDIS_REPLY_ERROR) {
        redis_error_describe(reply->str, &err);
        leave_replica(connection, reply->str, &err);
    }
    pending.on_reply(pending.context, raw, err.code == ERR_NONE ? NULL : &err);
}

static uint64_t
deadline_of(const struct redis_connection *connection, uint32_t block_ms)
{
    uint64_t last_us = connection->head ? connection->last_deadline_us : 0;
    uint64_t us =
        clock_monotonic_us() + ((uint64_t)connection->options.command_timeout_ms + block_ms) * 1000;
    /* It cannot be answered before those in front of it. */
    return us > last_us ? us : last_us;
}

static int
push_command(struct redis_connection *connection, const struct redis_command *command,
             const struct pending *what, struct err *err)
{
    if (command->count == REDIS_COMMAND_ARGS)
        return err_set(err, ERR_SYSTEM, 0, "a Redis command has too many arguments");
    struct pending *pending = malloc(sizeof(*pending));
    if (!pending)
        return err_set(err, ERR_SYSTEM, 0, "no memory for a Redis command");
    *pending = *what;
    /* hiredis does not write to the arguments; its type only lacks the const. */
    if (redisAsyncCommandArgv(redis_link_context(connection->link), on_hiredis_reply, pending,
                              command->count, (const char **)(uintptr_t)command->args,
                              command->sizes) != REDIS_OK) {
        free(pending);
        return err_set(err, ERR_UNAVAILABLE, 0, "the connection to Redis is closing");
    }
    *connection->tail = pending;
    connection->tail = &pending->next;
    connection->outstanding++;
    return 0;
}

int
redis_send(struct redis_connection *connection, const struct redis_command *command,
           uint32_t block_ms, redis_reply_fn *on_reply, void *context, struct err *err)
{
    if (connection->state != STATE_UP)
        return err_set(err, ERR_UNAVAILABLE, 0, "Redis is not connected");
    struct pending pending = {
        .connection = connection,
        .on_reply = on_reply,
        .context = context,
        .deadline_us = deadline_of(connection, block_ms),
    };
    if (push_command(connection, command, &pending, err) < 0)
        return -1;
    connection->last_deadline_us = pending.deadline_us;
    if (!evtimer_pending(connection->timer, NULL))
        arm_timer(connection, ((uint64_t)connection->options.command_timeout_ms + block_ms) * 1000);
    return 0;
}

/* ---- connecting ---- */

static void
on_greeting(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct redis_connection *connection = context;
    if (!err || !reply)
        return;
    if (connection->reason.code == ERR_NONE)
        connection->reason = *err;
    drop_link(connection);
}

static void
on_last_greeting(void *context, const struct redis_reply *reply, const struct err *err)
{
    if (err)
        on_greeting(context, reply, err);
    else
        greeted(context);
}

static int
greet(struct redis_connection *connection, struct err *err)
{
    const struct redis_url *url = connection->options.url;
    struct pending pending = {
        .connection = connection, .on_reply = on_greeting, .context = connection};
    struct redis_command command;
    if (url->password) {
        redis_command_init(&command, "AUTH");
        if (url->user)
            redis_command_add_text(&command, url->user);
        redis_command_add_text(&command, url->password);
        if (push_command(connection, &command, &pending, err) < 0)
            return -1;
    }
    if (url->db > 0) {
        redis_command_init(&command, "SELECT");
        redis_command_add_int(&command, url->db);
        if (push_command(connection, &command, &pending, err) < 0)
            return -1;
    }
    /* Shows -LOADING and -NOAUTH before anybody's command meets them. */
    redis_command_init(&command, "PING");
    pending.on_reply = on_last_greeting;
    return push_command(connection, &command, &pending, err);
}

static void
on_connected(void *owner)
{
    struct redis_connection *connection = owner;
    struct err err = ERR_INIT;
    connection->state = STATE_GREETING;
    if (greet(connection, &err) < 0)
        connection->reason = err; /* the connect timeout ends it */
}

static void
on_gone(void *owner, const char *reason)
{
    struct redis_connection *connection = owner;
    note_reason(connection, reason);
    connection->link = NULL;
    go_down(connection);
}

static int
open_link(struct redis_connection *connection, const char *address, struct err *err)
{
    static const struct redis_link_hooks hooks = {on_connected, on_gone};
    connection->link = redis_link_open(connection->base, connection->options.url, address, &hooks,
                                       connection, err);
    if (!connection->link)
        return -1;
    connection->state = STATE_CONNECTING;
    return 0;
}

static void
on_resolved(void *context, const char *address, const struct err *err)
{
    struct redis_connection *connection = context;
    struct err failed = ERR_INIT;
    connection->resolve = NULL;
    if (!err && open_link(connection, address, &failed) == 0)
        return;
    connection->reason = err ? *err : failed;
    go_down(connection);
}

static int
start_connecting(struct redis_connection *connection, struct err *err)
{
    const struct redis_url *url = connection->options.url;
    arm_timer(connection, (uint64_t)connection->options.connect_timeout_ms * 1000);
    if (!url->host || redis_resolve_is_numeric(url->host))
        return open_link(connection, url->host, err);
    connection->resolve =
        redis_resolve_start(connection->base, url->host, on_resolved, connection, err);
    if (!connection->resolve)
        return -1;
    connection->state = STATE_RESOLVING;
    return 0;
}

struct redis_connection *
redis_connection_new(struct event_base *base, const struct redis_options *options, struct err *err)
{
    struct redis_connection *connection = calloc(1, sizeof(*connection));
    if (connection)
        connection->timer = evtimer_new(base, on_timer, connection);
    if (!connection || !connection->timer) {
        free(connection);
        err_set(err, ERR_SYSTEM, 0, "no memory for a Redis connection");
        return NULL;
    }
    connection->base = base;
    connection->options = *options;
    connection->tail = &connection->head;
    connection->backoff_ms = BACKOFF_FIRST_MS;
    arm_timer(connection, 0); /* connects from the loop: on_down never comes before we return */
    return connection;
}

void
redis_connection_free(struct redis_connection *connection)
{
    if (!connection)
        return;
    for (struct pending *pending = connection->head; pending; pending = pending->next)
        pending->connection = NULL;
    event_free(connection->timer);
    if (connection->resolve)
        redis_resolve_cancel(connection->resolve);
    if (connection->link)
        redis_link_abandon(connection->link);
    free(connection);
}

bool
redis_connection_up(const struct redis_connection *connection)
{
    return connection->state == STATE_UP;
}

uint32_t
redis_connection_outstanding(const struct redis_connection *connection)
{
    return connection->outstanding;
}
