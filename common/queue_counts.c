#include "common/queue_counts.h"

#include "common/log.h"
#include "common/metrics.h"

void
queue_counts_read(struct queue_counts *counts, const struct redis_reply *reply)
{
    counts->retried = redis_reply_int(redis_reply_item(reply, 0), 0);
    counts->lost = redis_reply_int(redis_reply_item(reply, 1), 0);
    counts->returned = redis_reply_int(redis_reply_item(reply, 2), 0);
    counts->expired = redis_reply_int(redis_reply_item(reply, 3), 0);
    counts->removed = redis_reply_int(redis_reply_item(reply, 4), 0);
}

void
queue_counts_log(const struct queue_counts *counts)
{
    if (counts->retried + counts->lost + counts->returned + counts->expired + counts->removed == 0)
        return;
    metrics_add(METRIC_JOBS_RETRIED, METRIC_ONLY, (uint64_t)counts->retried);
    metrics_add(METRIC_JOBS_LOST, METRIC_ONLY, (uint64_t)counts->lost);
    LOG(LOG_WARNING, "queue_swept", {"retried", LOG_INT(counts->retried)},
        {"lost", LOG_INT(counts->lost)}, {"returned", LOG_INT(counts->returned)},
        {"expired", LOG_INT(counts->expired)}, {"removed", LOG_INT(counts->removed)});
}
