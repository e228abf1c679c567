/*
 * What an operator does to the queue, over a connection of the caller's (redis.h). Each call is one
 * server-side script; the answer comes to on_reply from the loop, once: err NULL and what is said
 * here, or err.
 */
#ifndef RETORT_QUEUE_ADMIN_H
#define RETORT_QUEUE_ADMIN_H

#include "common/queue_counts.h"
#include "common/redis.h"

struct queue_admin {
    struct redis_connection *connection; /* borrowed */
    const char *prefix;                  /* borrowed */
};

/*
 * A queued or running job ends as cancelled, and its client gets that verdict. Reply: the state
 * before, as text: queued, running, or a final one (nothing is done); missing.
 */
int queue_admin_cancel(const struct queue_admin *admin, const char *id, redis_reply_fn *on_reply,
                       void *context, struct err *err);
/*
 * A running job is taken from its worker and put back at the head of its queue, its attempt
 * counted; without attempts or time left it is answered with worker_lost. What its worker still
 * does is fenced. Reply: the state before, as text; only running jobs are touched.
 */
int queue_admin_requeue(const struct queue_admin *admin, const char *id, redis_reply_fn *on_reply,
                        void *context, struct err *err);
/*
 * The same with all that a worker has, and its place in the registry, whether it lives or not: a
 * live one is back with its next beat. Reply: counts (queue_counts_read()), or nil when nobody
 * knows it.
 */
int queue_admin_evict(const struct queue_admin *admin, const char *worker, redis_reply_fn *on_reply,
                      void *context, struct err *err);

#endif
