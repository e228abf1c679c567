#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/codec.h"
#include "common/log.h"
#include "common/queue_worker_internal.h"
#include "common/utf8.h"

static void
on_released(void *context, const struct redis_reply *reply, const struct err *err)
{
    (void)context, (void)reply;
    if (err) /* the comparison of the in-flight list will find it */
        log_err(LOG_WARNING, "queue_release_failed", err);
}

/* A job was claimed that cannot be started any more: it goes back uncounted, on the connection that
 * brought it, since the worker's other one may be down. */
static void
release(const struct taker *taker, const struct queue_claim *claim)
{
    struct queue_worker *worker = taker->worker;
    struct redis_command command;
    struct err err = ERR_INIT;
    queue_script_begin(&worker->scripts, QUEUE_SCRIPT_REAP, &command);
    redis_command_add_text(&command, worker->prefix);
    redis_command_add_text(&command, "release");
    redis_command_add_text(&command, worker->id);
    redis_command_add_text(&command, claim->job.id);
    redis_command_add_int(&command, (int64_t)claim->epoch);
    redis_command_add_bytes(&command, claim->element.data, claim->element.size);
    if (redis_send(taker->connection, &command, 0, on_released, NULL, &err) < 0)
        log_err(LOG_WARNING, "queue_release_failed", &err);
}

/* The claimed job cannot be understood: says so to who waits, and keeps it for people to see. */
static void
refuse(struct queue_worker *worker, const struct queue_claim *claim, const struct err *why)
{
    struct err err = ERR_INIT;
    struct result result = {.error = why->code};
    log_err(LOG_ERROR, "queue_job_refused", why);
    memcpy(result.id, claim->job.id, sizeof(result.id));
    memcpy(result.worker, worker->id, sizeof(result.worker));
    snprintf(result.detail, sizeof(result.detail), "%.255s", why->text);
    struct held *held = queue_held_new(worker, claim);
    if (!held)
        return; /* found by the comparison */
    held->quiet = true;
    snprintf(held->why, sizeof(held->why), "%.*s", (int)utf8_cut(why->text, sizeof(held->why) - 1),
             why->text);
    if (queue_worker_finish(worker, claim, &result, &err) < 0) {
        log_err(LOG_ERROR, "queue_job_refused", &err);
        queue_held_free(held);
    }
}

static void
deliver(struct taker *taker, struct queue_claim *claim)
{
    struct queue_worker *worker = taker->worker;
    /* Without a lease this process stood still for long: it may be another's already. */
    if (taker->capacity == 0 || !queue_beat_has_lease(worker) || !queue_held_new(worker, claim)) {
        release(taker, claim);
        queue_claim_fini(claim);
        return;
    }
    char id[JOB_ID_SIZE];
    memcpy(id, claim->job.id, sizeof(id));
    taker->capacity--;
    worker->hooks.on_job(worker->hooks.context, claim);
    if (recent_ids_take(&worker->cancelled_early, id))
        worker->hooks.on_cancel(worker->hooks.context, id, 0);
}

static int
read_input(const struct redis_reply *blob, struct job *job, struct err *err)
{
    size_t size;
    const char *data = redis_reply_bytes(blob, &size);
    if (!data)
        return err_set(err, ERR_UNAVAILABLE, 0, "the job's input is no longer in Redis");
    return codec_unpack_blob(data, size, job, err);
}

/* {now_us, epoch, attempts, queue_us, id, element, blob, buried}; id and times come first, so that
 * a job that cannot be read can still be answered. */
static int
read_claim(const struct redis_reply *reply, struct queue_claim *claim, struct err *err)
{
    size_t id_size, size;
    int64_t now_us = redis_reply_int(redis_reply_item(reply, 0), 0);
    const char *id = redis_reply_bytes(redis_reply_item(reply, 4), &id_size);
    const char *element = redis_reply_bytes(redis_reply_item(reply, 5), &size);
    bool has_input;
    claim->epoch = (uint64_t)redis_reply_int(redis_reply_item(reply, 1), 0);
    claim->attempts = (uint32_t)redis_reply_int(redis_reply_item(reply, 2), 0);
    claim->queue_us = (uint64_t)redis_reply_int(redis_reply_item(reply, 3), 0);
    claim->answer_by_us = clock_monotonic_us();
    if (!id || id_size >= JOB_ID_SIZE || !element)
        return err_set(err, ERR_PROTOCOL, 0, "the claim script answered with something else");
    int rc = codec_unpack_element(element, size, &claim->job, &has_input, err);
    memcpy(claim->job.id, id, id_size + 1);
    if (bytes_copy(&claim->element, element, size) < 0)
        return err_set(err, ERR_SYSTEM, 0, "no memory for a job");
    if (rc < 0)
        return -1;
    if (claim->job.answer_by_ms * 1000 > now_us)
        claim->answer_by_us += (uint64_t)(claim->job.answer_by_ms * 1000 - now_us);
    return has_input ? 0 : read_input(redis_reply_item(reply, 6), &claim->job, err);
}

static void
on_claimed_job(struct taker *taker, const struct redis_reply *reply)
{
    struct queue_claim claim = {0};
    struct err err = ERR_INIT;
    if (read_claim(reply, &claim, &err) == 0) {
        deliver(taker, &claim);
        return;
    }
    refuse(taker->worker, &claim, &err);
    queue_claim_fini(&claim);
}

static void taker_claim(struct taker *taker);

static void
on_claim(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct taker *taker = context;
    struct queue_worker *worker = taker->worker;
    taker->under_way = false;
    if (queue_scripts_missing(&worker->scripts, taker->connection, reply)) {
        taker_claim(taker);
        return;
    }
    if (err) {
        if (reply) /* taken up again with the next beat, not at once */
            log_err(LOG_ERROR, "queue_claim_failed", err);
        return;
    }
    bool job = redis_reply_count(reply) > 0;
    int64_t buried = redis_reply_int(job ? redis_reply_item(reply, 7) : reply, 0);
    if (buried > 0)
        LOG(LOG_ERROR, "queue_dead_letters", {"count", LOG_INT(buried)});
    if (job)
        on_claimed_job(taker, reply);
    if (!taker->move_failed) /* else with the next beat */
        queue_taker_take(taker);
}

static void
taker_claim(struct taker *taker)
{
    struct queue_worker *worker = taker->worker;
    struct redis_command command;
    struct err err = ERR_INIT;
    queue_script_begin(&worker->scripts, QUEUE_SCRIPT_CLAIM, &command);
    redis_command_add_text(&command, worker->prefix);
    redis_command_add_text(&command, worker->id);
    redis_command_add_text(&command, taker->language);
    taker->under_way = redis_send(taker->connection, &command, 0, on_claim, taker, &err) == 0;
}

static void
on_moved(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct taker *taker = context;
    if (err && reply && !taker->move_failed)
        log_err(LOG_ERROR, "queue_take_failed", err);
    taker->move_failed = err && reply;
}

void
queue_taker_take(struct taker *taker)
{
    struct queue_worker *worker = taker->worker;
    struct redis_command command;
    struct err err = ERR_INIT;
    if (taker->capacity == 0 || taker->under_way || !redis_connection_up(taker->connection) ||
        !queue_beat_has_lease(worker))
        return;
    struct queue_key queue = queue_key(worker->prefix, QUEUE_KEY_QUEUE, taker->language);
    struct queue_key inflight = queue_key(worker->prefix, QUEUE_KEY_INFLIGHT, worker->id);
    redis_command_init(&command, "BLMOVE");
    redis_command_add_text(&command, queue.text);
    redis_command_add_text(&command, inflight.text);
    redis_command_add_text(&command, "RIGHT");
    redis_command_add_text(&command, "LEFT");
    redis_command_add_int(&command, QUEUE_BLOCK_S);
    if (redis_send(taker->connection, &command, QUEUE_BLOCK_S * 1000, on_moved, taker, &err) == 0)
        taker_claim(taker);
}
