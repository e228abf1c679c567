/* What a sweep has done with the jobs of dead workers: the counts that the reap script returns. */
#ifndef RETORT_QUEUE_COUNTS_H
#define RETORT_QUEUE_COUNTS_H

#include "common/redis.h"

/* In the order of the script's array. */
struct queue_counts {
    int64_t retried;  /* put back, their attempt counted */
    int64_t lost;     /* answered with worker_lost */
    int64_t returned; /* put back: they had never been claimed */
    int64_t expired;  /* answered with queue_timeout */
    int64_t removed;  /* elements that were answered, or no jobs at all */
};

/* Zeros for what reply does not have. */
void queue_counts_read(struct queue_counts *counts, const struct redis_reply *reply);
/* A line, and the metrics, if any job was touched. */
void queue_counts_log(const struct queue_counts *counts);

#endif
