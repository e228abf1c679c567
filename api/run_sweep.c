/*
 * Every second each process looks for runs whose job has a result, or none to come, and that nobody
 * has given an end: those of processes that have died.
 */
#include "api/runs_internal.h"

#include "common/log.h"

#define SWEEP_COUNT 16

static void
on_swept(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct runs *runs = context;
    unsigned settled = 0;

    runs->sweeping = false;
    if (err) {
        if (reply)
            log_err(LOG_WARNING, "runs_sweep_failed", err);
        return;
    }
    for (size_t i = 0; i < redis_reply_count(reply); i++) {
        const struct redis_reply *row = redis_reply_item(reply, i);
        size_t size;
        const char *id = redis_reply_bytes(redis_reply_item(row, 0), &size);
        const char *owner = redis_reply_bytes(redis_reply_item(row, 1), &size);
        struct run_found found;
        if (id && owner && run_found_read(&found, id, redis_reply_item(row, 2)))
            settled += run_settle(runs, owner, &found);
    }
    if (settled > 0)
        LOG(LOG_INFO, "runs_settled", {"count", LOG_UINT(settled)});
}

void
run_sweep(struct runs *runs)
{
    struct err err = ERR_INIT;

    if (!runs->sweeping)
        runs->sweeping =
            run_records_sweep(&runs->records, SWEEP_COUNT, on_swept, runs, &err) != NULL;
}
