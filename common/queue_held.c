#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/codec.h"
#include "common/queue_worker_internal.h"

struct held *
queue_held_find(const struct queue_worker *worker, const char *id, uint64_t epoch)
{
    struct held *held;
    TAILQ_FOREACH(held, &worker->held, entry)
    if (held->epoch == epoch && strcmp(held->id, id) == 0)
        return held;
    return NULL;
}

struct held *
queue_held_new(struct queue_worker *worker, const struct queue_claim *claim)
{
    struct held *held = calloc(1, sizeof(*held));
    if (!held)
        return NULL;
    held->worker = worker;
    snprintf(held->id, sizeof(held->id), "%s", claim->job.id);
    snprintf(held->language, sizeof(held->language), "%s", claim->job.language);
    held->epoch = claim->epoch;
    held->answer_by_us = claim->answer_by_us;
    TAILQ_INSERT_TAIL(&worker->held, held, entry);
    worker->held_count++;
    return held;
}

void
queue_held_free(struct held *held)
{
    TAILQ_REMOVE(&held->worker->held, held, entry);
    held->worker->held_count--;
    bytes_fini(&held->element);
    bytes_fini(&held->result);
    free(held);
}

/* ---- finish, and handing back ---- */

static void
finish_end(struct held *held, const struct err *err)
{
    struct queue_worker *worker = held->worker;
    struct queue_worker_hooks hooks = worker->hooks;
    char id[JOB_ID_SIZE];
    bool quiet = held->quiet;
    memcpy(id, held->id, sizeof(id));
    queue_held_free(held);
    if (!quiet)
        hooks.on_finished(hooks.context, id, err);
}

static void finish_send(struct held *held);

static void
on_finish(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct held *held = context;
    struct queue_worker *worker = held->worker;
    struct err refused = ERR_INIT;
    held->under_way = false;
    if (queue_scripts_missing(&worker->scripts, worker->connection, reply)) {
        finish_send(held);
        return;
    }
    if (err) /* sent again with the next beat, or when the connection is back */
        return;
    if (redis_reply_int(reply, 0) == 1) {
        finish_end(held, NULL);
        return;
    }
    err_set(&refused, ERR_REJECTED, 0, "job %s is no longer this worker's", held->id);
    finish_end(held, &refused);
}

static void
finish_send(struct held *held)
{
    struct queue_worker *worker = held->worker;
    struct redis_command command;
    struct err err = ERR_INIT;
    queue_script_begin(&worker->scripts, held->hand_back ? QUEUE_SCRIPT_REAP : QUEUE_SCRIPT_FINISH,
                       &command);
    redis_command_add_text(&command, worker->prefix);
    if (held->hand_back)
        redis_command_add_text(&command, "return");
    redis_command_add_text(&command, worker->id);
    redis_command_add_text(&command, held->id);
    redis_command_add_int(&command, (int64_t)held->epoch);
    redis_command_add_bytes(&command, held->element.data, held->element.size);
    if (!held->hand_back) {
        redis_command_add_bytes(&command, held->result.data, held->result.size);
        redis_command_add_text(&command, held->why);
    }
    held->under_way = redis_send(worker->connection, &command, 0, on_finish, held, &err) == 0;
}

/* Takes *result (empty: handing back) in any case. */
static int
finish_begin(struct queue_worker *worker, const struct queue_claim *claim, struct bytes *result,
             struct err *err)
{
    struct held *held = queue_held_find(worker, claim->job.id, claim->epoch);
    int rc = 0;
    if (!held || held->finished)
        rc = err_set(err, ERR_REJECTED, 0, "job %s is not held by this worker", claim->job.id);
    else if (bytes_copy(&held->element, claim->element.data, claim->element.size) < 0)
        rc = err_set(err, ERR_SYSTEM, 0, "no memory for the end of job %s", held->id);
    if (rc < 0) {
        bytes_fini(result);
        return -1;
    }
    held->result = *result;
    held->hand_back = result->size == 0;
    held->finished = true;
    finish_send(held);
    return 0;
}

int
queue_worker_finish(struct queue_worker *worker, const struct queue_claim *claim,
                    const struct result *result, struct err *err)
{
    struct bytes packed;
    if (codec_pack_result(result, &packed, err) < 0)
        return -1;
    return finish_begin(worker, claim, &packed, err);
}

int
queue_worker_hand_back(struct queue_worker *worker, const struct queue_claim *claim,
                       struct err *err)
{
    struct bytes none = {0};
    return finish_begin(worker, claim, &none, err);
}

void
queue_held_retry(struct queue_worker *worker)
{
    struct held *held, *next;
    uint64_t now = clock_monotonic_us();
    for (held = TAILQ_FIRST(&worker->held); held; held = next) {
        next = TAILQ_NEXT(held, entry);
        if (!held->finished || held->under_way)
            continue;
        if (now < held->answer_by_us) {
            finish_send(held);
            continue;
        }
        struct err err = ERR_INIT;
        err_set(&err, ERR_UNAVAILABLE, 0, "the result of job %s could not be delivered in time",
                held->id);
        finish_end(held, &err);
        next = TAILQ_FIRST(&worker->held); /* the hook may have finished others */
    }
}
