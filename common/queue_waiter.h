/*
 * Connections that block until a job's result is there: a pool of them, one in use per request.
 *
 * A waiter sends BLPOP of the reply key and GET of the result key in one write; Redis runs the GET
 * as soon as the BLPOP is woken, or has timed out after 2 s. The reply key only wakes; the result
 * key answers. When a connection breaks, what it has popped may be lost: so the result key is read
 * first after that, then the waiter blocks again.
 */
#ifndef RETORT_QUEUE_WAITER_H
#define RETORT_QUEUE_WAITER_H

#include "common/queue.h"
#include "common/redis.h"

struct waiter;
struct waiter_pool;

struct waiter_pool_options {
    struct redis_options redis; /* url borrowed for the pool's life; hooks are the pool's own */
    const char *prefix;         /* borrowed for the pool's life */
    uint32_t maximum;           /* connections */
};

/* The packed result (borrowed for the call), or err when Redis refused to look for it. */
typedef void waiter_fn(void *context, const char *result, size_t size, const struct err *err);

struct waiter_pool *waiter_pool_new(struct event_base *base,
                                    const struct waiter_pool_options *options, struct err *err);
/* Calls nobody back. */
void waiter_pool_free(struct waiter_pool *pool);

/*
 * Starts to wait for the result of job id, until it is there or waiter_release() is called; also
 * while Redis is away. on_result is called at most once. NULL: all are in use (QUEUE_FULL).
 */
struct waiter *waiter_acquire(struct waiter_pool *pool, const char *id, waiter_fn *on_result,
                              void *context, struct err *err);
/* Back to the pool, also before a result came. */
void waiter_release(struct waiter *waiter);

#endif
