#include "common/queue_waiter.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/queue_keys.h"

/* Longest that BLPOP blocks: how long an answer can go unnoticed behind a dead connection. */
#define BLOCK_S         2
/* Idle connections beyond this many are closed after one to two sweeps. */
#define IDLE_KEEP_COUNT 32
#define IDLE_SWEEP_S    15

struct waiter {
    TAILQ_ENTRY(waiter) entry; /* of pool->idle or pool->busy */
    struct waiter_pool *pool;
    struct redis_connection *connection;
    bool idle;      /* which list it is in */
    bool under_way; /* BLPOP and GET have been sent; their replies must come before it is idle */
    bool recheck;   /* a connection broke: read the result key before blocking */
    bool swept;     /* was idle at the last sweep */
    bool acquired;  /* somebody waits: the fields below are valid */
    char id[JOB_ID_SIZE];
    waiter_fn *on_result;
    void *context;
};

TAILQ_HEAD(waiter_list, waiter);

struct waiter_pool {
    struct event_base *base;
    struct waiter_pool_options options;
    struct waiter_list idle, busy; /* idle: last used first */
    uint32_t count, idle_count;
    struct event *sweep;
};

static void start_waiting(struct waiter *waiter);

static void
waiter_free(struct waiter *waiter)
{
    struct waiter_pool *pool = waiter->pool;
    TAILQ_REMOVE(waiter->idle ? &pool->idle : &pool->busy, waiter, entry);
    pool->idle_count -= waiter->idle;
    pool->count--;
    redis_connection_free(waiter->connection);
    free(waiter);
}

static void
make_idle(struct waiter *waiter)
{
    struct waiter_pool *pool = waiter->pool;
    TAILQ_REMOVE(&pool->busy, waiter, entry);
    TAILQ_INSERT_HEAD(&pool->idle, waiter, entry);
    pool->idle_count++;
    waiter->idle = true;
    waiter->swept = false;
}

static void
make_busy(struct waiter *waiter)
{
    struct waiter_pool *pool = waiter->pool;
    TAILQ_REMOVE(&pool->idle, waiter, entry);
    TAILQ_INSERT_HEAD(&pool->busy, waiter, entry);
    pool->idle_count--;
    waiter->idle = false;
}

/* ---- waiting ---- */

static void
deliver(struct waiter *waiter, const char *result, size_t size, const struct err *err)
{
    waiter_fn *on_result = waiter->on_result;
    waiter->on_result = NULL; /* at most once */
    on_result(waiter->context, result, size, err);
}

static void
on_woken(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct waiter *waiter = context;
    if (err && reply && waiter->acquired && waiter->on_result)
        deliver(waiter, NULL, 0, err); /* a foreign value under our key: the GET will not help */
}

static void
on_result(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct waiter *waiter = context;
    size_t size;
    if (err && !reply)
        return; /* the connection is going down: on_down decides */
    waiter->under_way = false;
    if (!waiter->acquired) {
        make_idle(waiter);
        return;
    }
    if (!waiter->on_result)
        return;
    const char *result = redis_reply_bytes(reply, &size);
    if (err || result)
        deliver(waiter, result, size, err);
    else
        start_waiting(waiter);
}

static int
send_get(struct waiter *waiter, struct err *err)
{
    struct redis_command command;
    struct queue_key key = queue_key(waiter->pool->options.prefix, QUEUE_KEY_RESULT, waiter->id);
    redis_command_init(&command, "GET");
    redis_command_add_text(&command, key.text);
    return redis_send(waiter->connection, &command, 0, on_result, waiter, err);
}

static int
send_pop(struct waiter *waiter, struct err *err)
{
    struct redis_command command;
    struct queue_key key = queue_key(waiter->pool->options.prefix, QUEUE_KEY_REPLY, waiter->id);
    redis_command_init(&command, "BLPOP");
    redis_command_add_text(&command, key.text);
    redis_command_add_int(&command, BLOCK_S);
    return redis_send(waiter->connection, &command, BLOCK_S * 1000, on_woken, waiter, err);
}

/* A failure to send means that the connection is going down; waiting starts anew when it is up. */
static void
start_waiting(struct waiter *waiter)
{
    struct err err = ERR_INIT;
    if (!redis_connection_up(waiter->connection))
        return;
    bool block = !waiter->recheck;
    waiter->recheck = false;
    if (block && send_pop(waiter, &err) < 0)
        return;
    waiter->under_way = send_get(waiter, &err) == 0;
}

/* ---- connections ---- */

static void
on_up(void *context)
{
    struct waiter *waiter = context;
    if (waiter->acquired && waiter->on_result)
        start_waiting(waiter);
}

static void
on_down(void *context, const struct err *err)
{
    struct waiter *waiter = context;
    (void)err;
    waiter->under_way = false;
    waiter->recheck = true;
    if (!waiter->acquired)
        waiter_free(waiter);
}

static struct waiter *
waiter_new(struct waiter_pool *pool, struct err *err)
{
    struct waiter *waiter = calloc(1, sizeof(*waiter));
    if (!waiter) {
        err_set(err, ERR_SYSTEM, 0, "no memory for a connection to Redis");
        return NULL;
    }
    struct redis_options options = pool->options.redis;
    options.on_up = on_up;
    options.on_down = on_down;
    options.context = waiter;
    waiter->pool = pool;
    waiter->connection = redis_connection_new(pool->base, &options, err);
    if (!waiter->connection) {
        free(waiter);
        return NULL;
    }
    waiter->idle = true;
    TAILQ_INSERT_HEAD(&pool->idle, waiter, entry);
    pool->count++;
    pool->idle_count++;
    return waiter;
}

struct waiter *
waiter_acquire(struct waiter_pool *pool, const char *id, waiter_fn *on_result_fn, void *context,
               struct err *err)
{
    struct waiter *waiter = TAILQ_FIRST(&pool->idle);
    if (!waiter && pool->count >= pool->options.maximum) {
        err_set(err, ERR_QUEUE_FULL, 0, "too many requests are waiting for their result");
        return NULL;
    }
    if (!waiter)
        waiter = waiter_new(pool, err);
    if (!waiter)
        return NULL;
    make_busy(waiter);
    waiter->acquired = true;
    memcpy(waiter->id, id, strlen(id) + 1);
    waiter->on_result = on_result_fn;
    waiter->context = context;
    /* Nothing can have been popped for this job yet. */
    waiter->recheck = false;
    start_waiting(waiter);
    return waiter;
}

void
waiter_release(struct waiter *waiter)
{
    waiter->acquired = false;
    waiter->on_result = NULL;
    if (!redis_connection_up(waiter->connection) && waiter->recheck)
        waiter_free(waiter); /* it was broken, and nobody needs it to come back */
    else if (!waiter->under_way)
        make_idle(waiter);
}

/* ---- the pool ---- */

static void
on_sweep(evutil_socket_t fd, short events, void *context)
{
    struct waiter_pool *pool = context;
    struct waiter *waiter, *previous;
    (void)fd, (void)events;
    for (waiter = TAILQ_LAST(&pool->idle, waiter_list); waiter; waiter = previous) {
        previous = TAILQ_PREV(waiter, waiter_list, entry);
        if (waiter->swept && pool->idle_count > IDLE_KEEP_COUNT)
            waiter_free(waiter);
        else
            waiter->swept = true;
    }
}

struct waiter_pool *
waiter_pool_new(struct event_base *base, const struct waiter_pool_options *options, struct err *err)
{
    const struct timeval interval = {.tv_sec = IDLE_SWEEP_S};
    struct waiter_pool *pool = calloc(1, sizeof(*pool));
    if (pool)
        pool->sweep = event_new(base, -1, EV_PERSIST, on_sweep, pool);
    if (!pool || !pool->sweep || event_add(pool->sweep, &interval) < 0) {
        if (pool && pool->sweep)
            event_free(pool->sweep);
        free(pool);
        err_set(err, ERR_SYSTEM, 0, "no memory for connections to Redis");
        return NULL;
    }
    pool->base = base;
    pool->options = *options;
    TAILQ_INIT(&pool->idle);
    TAILQ_INIT(&pool->busy);
    return pool;
}

static void
free_all(struct waiter_list *list)
{
    struct waiter *waiter, *next;
    for (waiter = TAILQ_FIRST(list); waiter; waiter = next) {
        next = TAILQ_NEXT(waiter, entry);
        waiter_free(waiter);
    }
}

void
waiter_pool_free(struct waiter_pool *pool)
{
    if (!pool)
        return;
    free_all(&pool->idle);
    free_all(&pool->busy);
    event_free(pool->sweep);
    free(pool);
}
