/*
 * Theory of operation. Connections: one per language that takes jobs (it blocks), one that listens
 * for cancellations (it blocks), one for all that does not block: finish, release and the beat.
 *
 * Taking. While a language has capacity, its taker has one pair of commands under way, sent in one
 * write: BLMOVE from the queue to the in-flight list, at most 2 s, and the claim script, which
 * Redis runs as soon as the BLMOVE has moved a job or given up. The claim's reply carries all that
 * is needed; the BLMOVE's is not looked at. A claim also finds what a BLMOVE of a dead connection
 * has moved. When capacity has gone to 0 in the meantime, the claimed job is given back.
 *
 * Holding. A `held` is a job from its claim until finish is done with it. finish is sent at once,
 * and again after each reconnection, until Redis has answered or answer_by has passed.
 *
 * The beat: queue_beat.c. A worker takes nothing before its first one: it must be in the registry
 * for others to find what it leaves behind.
 *
 * Draining. Nothing is taken any more; when nothing is held or under way, or the time is up, the
 * worker leaves the registry, which also hands over what it still has.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/queue_worker_internal.h"

#define BEAT_S             1
/* The shared one, that for cancellations, one for each language; and some to spare. */
#define WORKER_CONNECTIONS (2 + QUEUE_LANGUAGES_MOST)
/* How often a worker that drains looks whether it is idle. */
#define DRAIN_TICK_US      5000
/* For leaving the registry. */
#define LEAVE_US           1500000
/* In the cancel list, where ids stand otherwise. */
#define DRAIN_WORD         "!drain"

/* ---- the beat ---- */

static void
on_beat(evutil_socket_t fd, short events, void *context)
{
    struct queue_worker *worker = context;
    (void)fd, (void)events;
    queue_held_retry(worker);
    if (!worker->beat_under_way && !worker->leaving)
        queue_beat_send(worker);
    for (unsigned i = 0; i < worker->taker_count; i++)
        queue_taker_take(&worker->takers[i]);
}

/* ---- cancellation ---- */

static void listen_for_cancel(struct queue_worker *worker);

static bool
is_held(const struct queue_worker *worker, const char *id)
{
    const struct held *held;
    TAILQ_FOREACH(held, &worker->held, entry)
    if (!held->finished && strcmp(held->id, id) == 0)
        return true;
    return false;
}

static void
on_cancel(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct queue_worker *worker = context;
    size_t size;
    if (err) {
        if (reply) /* the next on_up tries again */
            log_err(LOG_ERROR, "queue_cancel_failed", err);
        return;
    }
    const char *id = redis_reply_bytes(redis_reply_item(reply, 1), &size);
    if (id && is_held(worker, id))
        worker->hooks.on_cancel(worker->hooks.context, id, 0);
    else if (id && strcmp(id, DRAIN_WORD) != 0)
        recent_ids_add(&worker->cancelled_early, id);
    listen_for_cancel(worker);
    if (id && strcmp(id, DRAIN_WORD) == 0 && worker->hooks.on_drain)
        worker->hooks.on_drain(worker->hooks.context);
}

static void
listen_for_cancel(struct queue_worker *worker)
{
    struct redis_command command;
    struct err err = ERR_INIT;
    struct queue_key key = queue_key(worker->prefix, QUEUE_KEY_CANCEL, worker->id);
    redis_command_init(&command, "BLPOP");
    redis_command_add_text(&command, key.text);
    redis_command_add_int(&command, QUEUE_BLOCK_S);
    (void)redis_send(worker->cancel_connection, &command, QUEUE_BLOCK_S * 1000, on_cancel, worker,
                     &err);
}

/* ---- draining ---- */

static void
end_drain(struct queue_worker *worker)
{
    event_del(worker->drain);
    worker->on_drained(worker->drain_context);
}

static void
on_left(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct queue_worker *worker = context;
    struct queue_counts counts;
    if (err) { /* others find out when the beat has expired */
        log_err(LOG_WARNING, "queue_leave_failed", err);
    } else {
        queue_counts_read(&counts, reply);
        queue_counts_log(&counts);
    }
    worker->drain_by_us = 0; /* the next tick ends it, from the loop */
}

static void
leave(struct queue_worker *worker)
{
    struct redis_command command;
    struct err err = ERR_INIT;
    worker->leaving = true;
    worker->drain_by_us = clock_monotonic_us() + LEAVE_US;
    queue_script_begin(&worker->scripts, QUEUE_SCRIPT_REAP, &command);
    redis_command_add_text(&command, worker->prefix);
    redis_command_add_text(&command, "leave");
    redis_command_add_text(&command, worker->id);
    if (redis_send(worker->connection, &command, 0, on_left, worker, &err) < 0)
        worker->drain_by_us = 0;
}

static void
on_drain_tick(evutil_socket_t fd, short events, void *context)
{
    struct queue_worker *worker = context;
    (void)fd, (void)events;
    bool over = clock_monotonic_us() >= worker->drain_by_us;
    if (worker->leaving && over)
        end_drain(worker);
    else if (!worker->leaving && (over || queue_worker_idle(worker)))
        leave(worker);
}

/* ---- connections ---- */

static void
on_up(void *context)
{
    struct queue_worker *worker = context;
    queue_fitness_ask(&worker->fitness, worker->connection);
    queue_scripts_load(&worker->scripts, worker->connection);
    queue_held_retry(worker);
    worker->check_wanted = true;
    worker->beat_under_way = false;
    if (!worker->leaving)
        queue_beat_send(worker);
}

static void
on_cancel_up(void *context)
{
    listen_for_cancel(context);
}

static void
on_client_id(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct taker *taker = context;
    (void)err; /* a Redis without CLIENT only makes the end of taking slower */
    taker->client_id = redis_reply_int(reply, 0);
}

static void
on_taker_up(void *context)
{
    struct taker *taker = context;
    struct redis_command command;
    struct err err = ERR_INIT;
    redis_command_init(&command, "CLIENT");
    redis_command_add_text(&command, "ID");
    (void)redis_send(taker->connection, &command, 0, on_client_id, taker, &err);
    taker->under_way = false;
    queue_taker_take(taker);
}

static void
on_taker_down(void *context, const struct err *err)
{
    struct taker *taker = context;
    (void)err;
    taker->under_way = false;
    taker->client_id = 0;
    /* It may have moved or claimed a job that we never heard of. */
    taker->worker->check_wanted = true;
}

static struct redis_connection *
connect_as(struct queue_worker *worker, struct event_base *base, struct redis_options options,
           const struct queue_options *queue, struct err *err)
{
    options.url = &worker->url;
    options.connect_timeout_ms = queue->connect_timeout_ms;
    options.command_timeout_ms = queue->command_timeout_ms;
    return redis_connection_new(base, &options, err);
}

static int
open_takers(struct queue_worker *worker, struct event_base *base,
            const struct queue_options *options, const char *const *languages, struct err *err)
{
    unsigned count = 0;
    while (languages[count])
        count++;
    worker->takers = calloc(count ? count : 1, sizeof(*worker->takers));
    if (!worker->takers)
        return err_set(err, ERR_SYSTEM, 0, "no memory for the queue's worker");
    if (count > QUEUE_LANGUAGES_MOST)
        return err_set(err, ERR_CONFIG, 0, "more than %d languages", QUEUE_LANGUAGES_MOST);
    for (unsigned i = 0; i < count; i++) {
        struct taker *taker = &worker->takers[i];
        if (queue_name_check("language", languages[i], sizeof(taker->language), err) < 0)
            return -1;
        snprintf(taker->language, sizeof(taker->language), "%s", languages[i]);
        taker->worker = worker;
        taker->connection = connect_as(
            worker, base,
            (struct redis_options){
                .name = "take", .on_up = on_taker_up, .on_down = on_taker_down, .context = taker},
            options, err);
        if (!taker->connection)
            return -1;
        worker->taker_count++;
    }
    return 0;
}

static int
open_all(struct queue_worker *worker, struct event_base *base, const struct queue_options *options,
         const char *const *languages, struct err *err)
{
    const struct timeval interval = {.tv_sec = BEAT_S};
    worker->beat = event_new(base, -1, EV_PERSIST, on_beat, worker);
    worker->drain = event_new(base, -1, EV_PERSIST, on_drain_tick, worker);
    if (!worker->beat || !worker->drain || event_add(worker->beat, &interval) < 0)
        return err_set(err, ERR_SYSTEM, 0, "no memory for the queue's worker");
    worker->connection = connect_as(
        worker, base, (struct redis_options){.name = "finish", .on_up = on_up, .context = worker},
        options, err);
    if (!worker->connection)
        return -1;
    worker->cancel_connection = connect_as(
        worker, base,
        (struct redis_options){.name = "cancel", .on_up = on_cancel_up, .context = worker}, options,
        err);
    return worker->cancel_connection ? open_takers(worker, base, options, languages, err) : -1;
}

/* The host's name is for people; it goes into JSON as it is. */
static void
name_instance(struct queue_worker *worker)
{
    if (getrandom(&worker->instance, sizeof(worker->instance), 0) < 0)
        worker->instance = clock_monotonic_us() << 20 ^ (uint64_t)getpid();
    if (gethostname(worker->host, sizeof(worker->host) - 1) < 0)
        worker->host[0] = '\0';
    for (char *at = worker->host; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("._-", *at))
            *at = '_';
}

struct queue_worker *
queue_worker_new(struct event_base *base, const struct queue_options *options,
                 const char *worker_id, const char *const *languages,
                 const struct queue_worker_hooks *hooks, struct err *err)
{
    struct queue_worker *worker = calloc(1, sizeof(*worker));
    if (!worker) {
        err_set(err, ERR_SYSTEM, 0, "no memory for the queue's worker");
        return NULL;
    }
    TAILQ_INIT(&worker->held);
    worker->hooks = *hooks;
    worker->started_ms = clock_realtime_ms();
    worker->fitness = (struct queue_fitness){.connections = WORKER_CONNECTIONS,
                                             .on_unfit = options->on_unfit,
                                             .context = options->context};
    name_instance(worker);
    if (queue_name_check("worker id", worker_id, sizeof(worker->id), err) < 0 ||
        queue_prefix_copy(worker->prefix, options->prefix, err) < 0 ||
        redis_url_parse(&worker->url, options->redis_url, err) < 0)
        goto fail;
    snprintf(worker->id, sizeof(worker->id), "%s", worker_id);
    if (open_all(worker, base, options, languages, err) == 0)
        return worker;
fail:
    queue_worker_free(worker);
    return NULL;
}

void
queue_worker_free(struct queue_worker *worker)
{
    if (!worker)
        return;
    redis_connection_free(worker->connection);
    redis_connection_free(worker->cancel_connection);
    for (unsigned i = 0; i < worker->taker_count; i++)
        redis_connection_free(worker->takers[i].connection);
    while (!TAILQ_EMPTY(&worker->held))
        queue_held_free(TAILQ_FIRST(&worker->held));
    if (worker->beat)
        event_free(worker->beat);
    if (worker->drain)
        event_free(worker->drain);
    redis_url_fini(&worker->url);
    free(worker->takers);
    free(worker);
}

bool
queue_worker_connected(const struct queue_worker *worker)
{
    bool up = redis_connection_up(worker->connection);
    for (unsigned i = 0; i < worker->taker_count; i++)
        up = up && redis_connection_up(worker->takers[i].connection);
    return up;
}

bool
queue_worker_idle(const struct queue_worker *worker)
{
    for (unsigned i = 0; i < worker->taker_count; i++)
        if (worker->takers[i].under_way)
            return false;
    return worker->held_count == 0 && redis_connection_outstanding(worker->connection) == 0;
}

static void
on_unblocked(void *context, const struct redis_reply *reply, const struct err *err)
{
    (void)context, (void)reply, (void)err; /* at worst the BLMOVE goes on for its 2 s */
}

/* Ends a blocking BLMOVE at once, so that a worker that drains does not wait for it. */
static void
unblock(struct taker *taker)
{
    struct redis_command command;
    struct err err = ERR_INIT;
    redis_command_init(&command, "CLIENT");
    redis_command_add_text(&command, "UNBLOCK");
    redis_command_add_int(&command, taker->client_id);
    (void)redis_send(taker->worker->connection, &command, 0, on_unblocked, NULL, &err);
}

void
queue_worker_set_capacity(struct queue_worker *worker, const char *language, uint32_t free_slots)
{
    for (unsigned i = 0; i < worker->taker_count; i++) {
        struct taker *taker = &worker->takers[i];
        if (strcmp(taker->language, language) != 0)
            continue;
        taker->capacity = worker->draining ? 0 : free_slots;
        if (taker->capacity == 0 && taker->under_way && taker->client_id != 0)
            unblock(taker);
        queue_taker_take(taker);
    }
}

void
queue_worker_set_slots(struct queue_worker *worker, const char *language, uint32_t slots)
{
    for (unsigned i = 0; i < worker->taker_count; i++)
        if (strcmp(worker->takers[i].language, language) == 0)
            worker->takers[i].slots = slots;
}

void
queue_worker_drain(struct queue_worker *worker, uint32_t timeout_ms,
                   void (*on_drained)(void *context), void *context)
{
    const struct timeval interval = {.tv_usec = DRAIN_TICK_US};
    if (worker->draining)
        return;
    worker->draining = true;
    worker->on_drained = on_drained;
    worker->drain_context = context;
    worker->drain_by_us = clock_monotonic_us() + (uint64_t)timeout_ms * 1000;
    event_add(worker->drain, &interval);
    for (unsigned i = 0; i < worker->taker_count; i++)
        queue_worker_set_capacity(worker, worker->takers[i].language, 0);
}

void
queue_claim_fini(struct queue_claim *claim)
{
    job_fini(&claim->job);
    bytes_fini(&claim->element);
}
