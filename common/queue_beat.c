/*
 * The beat, every second, by the reap script: shows that the worker lives and what it does, sweeps
 * up after dead ones, and brings home which of its jobs others have now. After a reconnection,
 * regularly, and when the in-flight list is longer than it should be, the list is compared with
 * what is held.
 *
 * A lease follows from it: others may take over what a worker has once its last beat is older than
 * QUEUE_BEAT_EXPIRY_MS, so from then on it starts nothing that it was given before.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/queue_worker_internal.h"
#include "common/version.h"

/* Every so many beats the whole in-flight list is compared. */
#define CHECK_BEATS 5
/* A claimed job that nobody here knows of is lost after this: longer than a claim's reply can be
 * under way, blocking time included. */
#define GRACE_MS    4000
/* For each language: its name twice, two numbers. */
#define ABOUT_SIZE  (512 + QUEUE_LANGUAGES_MOST * (2 * JOB_LANGUAGE_SIZE + 64))

/* ---- what the worker says of itself ---- */

static uint32_t
busy(const struct queue_worker *worker, const char *language)
{
    const struct held *held;
    uint32_t count = 0;
    TAILQ_FOREACH(held, &worker->held, entry)
    count += !held->quiet && strcmp(held->language, language) == 0;
    return count;
}

/* A flat JSON object; nothing in it needs escapes. */
static void
describe(const struct queue_worker *worker, char text[ABOUT_SIZE])
{
    size_t used = (size_t)snprintf(text, ABOUT_SIZE,
                                   "{\"instance\":\"%016" PRIx64
                                   "\",\"state\":\"%s\",\"version\":\"" RETORT_VERSION
                                   "\",\"host\":\"%s\",\"started\":\"%" PRIi64 "\"",
                                   worker->instance, worker->draining ? "draining" : "serving",
                                   worker->host, worker->started_ms);
    for (unsigned i = 0; i < worker->taker_count; i++) {
        const struct taker *taker = &worker->takers[i];
        used += (size_t)snprintf(text + used, ABOUT_SIZE - used,
                                 ",\"slots:%s\":\"%" PRIu32 "\",\"busy:%s\":\"%" PRIu32 "\"",
                                 taker->language, taker->slots, taker->language,
                                 busy(worker, taker->language));
    }
    snprintf(text + used, ABOUT_SIZE - used, "}");
}

/* What is held: id:epoch, each with a comma behind it. NULL: no memory. */
static char *
known_jobs(const struct queue_worker *worker)
{
    const size_t most = JOB_ID_SIZE + sizeof(":18446744073709551615,");
    size_t size = (size_t)worker->held_count * most + 1, used = 0;
    char *text = malloc(size);
    const struct held *held;
    if (!text)
        return NULL;
    text[0] = '\0';
    TAILQ_FOREACH(held, &worker->held, entry)
    used += (size_t)snprintf(text + used, size - used, "%s:%" PRIu64 ",", held->id, held->epoch);
    return text;
}

/* ---- what comes back ---- */

static void
note_lost(struct queue_worker *worker, const struct redis_reply *lost)
{
    for (size_t i = 0; i + 1 < redis_reply_count(lost); i += 2) {
        size_t size;
        const char *id = redis_reply_bytes(redis_reply_item(lost, i), &size);
        uint64_t epoch = (uint64_t)redis_reply_int(redis_reply_item(lost, i + 1), 0);
        const struct held *held = id ? queue_held_find(worker, id, epoch) : NULL;
        if (held && !held->finished)
            worker->hooks.on_cancel(worker->hooks.context, held->id, epoch);
    }
}

/* The worker's name is another's, who lives. It may be the one that was here before, and has just
 * died: then the name is free when its last beat has expired. */
static void
on_name_taken(struct queue_worker *worker)
{
    uint64_t now = clock_monotonic_us();
    struct err err = ERR_INIT;
    if (worker->name_taken_us == 0)
        worker->name_taken_us = now;
    if (now - worker->name_taken_us < (QUEUE_BEAT_EXPIRY_MS + 2000) * UINT64_C(1000))
        return;
    err_set(&err, ERR_CONFIG, 0,
            "WORKER_ID %s is in use by another worker that lives; each needs a name of its own",
            worker->id);
    log_err(LOG_ERROR, "worker_id_taken", &err);
    if (worker->fitness.on_unfit)
        worker->fitness.on_unfit(worker->fitness.context, &err);
    worker->name_taken_us = now;
}

static void
note_beat(struct queue_worker *worker, const struct redis_reply *reply)
{
    struct queue_counts counts;
    worker->name_taken_us = 0;
    worker->lease_until_us = worker->beat_sent_us + QUEUE_BEAT_EXPIRY_MS * UINT64_C(1000);
    queue_counts_read(&counts, redis_reply_item(reply, 1));
    queue_counts_log(&counts);
    if (redis_reply_int(redis_reply_item(reply, 0), 0) > worker->held_count)
        worker->check_wanted = true;
    note_lost(worker, redis_reply_item(reply, 2));
    for (unsigned i = 0; i < worker->taker_count; i++)
        queue_taker_take(&worker->takers[i]);
}

static void
on_beaten(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct queue_worker *worker = context;
    worker->beat_under_way = false;
    if (err && !queue_scripts_missing(&worker->scripts, worker->connection, reply) && reply)
        log_err(LOG_ERROR, "queue_beat_failed", err);
    if (err)
        return;
    if (redis_reply_is_nil(reply))
        on_name_taken(worker);
    else
        note_beat(worker, reply);
}

void
queue_beat_send(struct queue_worker *worker)
{
    struct redis_command command;
    struct err err = ERR_INIT;
    char about[ABOUT_SIZE];
    bool check = worker->check_wanted || ++worker->beats >= CHECK_BEATS;
    char *known = known_jobs(worker);
    if (!known)
        return;
    describe(worker, about);
    queue_script_begin(&worker->scripts, QUEUE_SCRIPT_REAP, &command);
    redis_command_add_text(&command, worker->prefix);
    redis_command_add_text(&command, "beat");
    redis_command_add_text(&command, worker->id);
    redis_command_add_text(&command, about);
    redis_command_add_int(&command, QUEUE_BEAT_EXPIRY_MS);
    redis_command_add_int(&command, check);
    redis_command_add_text(&command, known);
    redis_command_add_int(&command, GRACE_MS);
    worker->beat_sent_us = clock_monotonic_us();
    worker->beat_under_way =
        redis_send(worker->connection, &command, 0, on_beaten, worker, &err) == 0;
    if (worker->beat_under_way && check) {
        worker->beats = 0;
        worker->check_wanted = false;
    }
    free(known);
}

bool
queue_beat_has_lease(const struct queue_worker *worker)
{
    return clock_monotonic_us() < worker->lease_until_us;
}
