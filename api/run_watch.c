/*
 * A watch asks the run's record, waits, and asks again. While the run has a result and no end, the
 * process that waits for its job is about to give it one; if it does not, the watch does.
 */
#include "api/runs_internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

/* Longer than it takes from a result to the record's end, unless that process is dead. */
#define SETTLE_US      200000
#define RESULT_LOOK_MS 20
#define ANSWER_LOOK_MS 50

struct run_watch {
    LIST_ENTRY(run_watch) link;
    struct runs *runs;
    struct run_watch_options options;
    char id[RUN_ID_SIZE];
    char owner[RUN_OWNER_SIZE];
    struct event *timer;
    struct redis_script_call *call; /* under way */
    uint64_t result_us;             /* monotonic: when a result was seen without an end; 0: never */
    bool hurry;
};

static int look(struct run_watch *watch, struct err *err);

static void
wait_ms(struct run_watch *watch, uint32_t ms)
{
    const struct timeval delay = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    event_add(watch->timer, &delay);
}

/* Whether the run is between its result and its end: nothing to tell yet. */
static bool
is_ending(struct run_watch *watch, const struct run_found *found)
{
    uint64_t now_us = clock_monotonic_us();

    if (found->ended)
        return false;
    if (!found->result)
        return run_settle(watch->runs, watch->owner, found);
    if (watch->result_us == 0)
        watch->result_us = now_us;
    if (now_us - watch->result_us >= SETTLE_US && run_settle(watch->runs, watch->owner, found))
        watch->result_us = now_us;
    return true;
}

static void
tell(struct run_watch *watch, const struct run_found *found, const struct redis_reply *events,
     const struct err *err)
{
    watch->hurry = false;
    if (watch->options.on_look(watch->options.context, found, events, err))
        wait_ms(watch, watch->hurry ? 0 : watch->options.interval_ms);
    else
        run_watch_free(watch);
}

static void
on_reply(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct run_watch *watch = context;
    struct run_found found;

    watch->call = NULL;
    if (err || !run_found_read(&found, watch->id, redis_reply_item(reply, 0)))
        tell(watch, NULL, NULL, err);
    else if (is_ending(watch, &found) && !watch->options.entry)
        wait_ms(watch, RESULT_LOOK_MS);
    else
        tell(watch, &found, redis_reply_item(reply, 1), NULL);
}

static int
look(struct run_watch *watch, struct err *err)
{
    watch->call = run_records_look(&watch->runs->records, watch->owner, watch->id,
                                   watch->options.entry, on_reply, watch, err);
    return watch->call ? 0 : -1;
}

static void
on_timer(evutil_socket_t fd, short events, void *context)
{
    struct run_watch *watch = context;
    struct err err = ERR_INIT;

    (void)fd;
    (void)events;
    if (look(watch, &err) < 0)
        tell(watch, NULL, NULL, &err);
}

struct run_watch *
run_watch_new(struct runs *runs, const struct run_watch_options *options, struct err *err)
{
    struct run_watch *watch = calloc(1, sizeof(*watch));

    if (watch)
        watch->timer = evtimer_new(runs->app->base, on_timer, watch);
    if (!watch || !watch->timer) {
        free(watch);
        err_set(err, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
        return NULL;
    }
    watch->runs = runs;
    watch->options = *options;
    snprintf(watch->id, sizeof(watch->id), "%s", options->id);
    snprintf(watch->owner, sizeof(watch->owner), "%s", options->owner);
    LIST_INSERT_HEAD(&runs->watches, watch, link);
    if (look(watch, err) == 0)
        return watch;
    run_watch_free(watch);
    return NULL;
}

void
run_watch_hurry(struct run_watch *watch)
{
    watch->hurry = true;
}

void
run_watch_free(struct run_watch *watch)
{
    if (watch->call)
        redis_script_forget(watch->call);
    LIST_REMOVE(watch, link);
    event_free(watch->timer);
    free(watch);
}

/* ---- an answer about one run ---- */

struct waiting {
    struct exchange *exchange;
    struct run_watch *watch;
    bool wait;
    int status;
};

static void
abandon_waiting(struct exchange *exchange)
{
    struct waiting *waiting = exchange->waiting_for;

    run_watch_free(waiting->watch);
    free(waiting);
}

static void
answer_found(struct exchange *exchange, const struct run_found *found, int status)
{
    if (found->ended)
        run_found_put(exchange, found, &exchange->body);
    else
        run_object_put_open(&exchange->body, &found->facts,
                            run_found_is_running(found) ? found->claimed_us : 0);
    exchange_answer(exchange, status);
}

static bool
on_look(void *context, const struct run_found *found, const struct redis_reply *events,
        const struct err *err)
{
    struct waiting *waiting = context;
    struct exchange *exchange = waiting->exchange;
    int status = waiting->status;

    (void)events;
    if (found && !found->ended && waiting->wait && !exchange_stream_closing(exchange))
        return true;
    free(waiting);
    if (err)
        exchange_fail_err(exchange, err);
    else if (!found)
        exchange_fail(exchange, HTTP_NOT_FOUND, "There is no such run.");
    else
        answer_found(exchange, found, found->ended ? HTTP_OK : status);
    return false;
}

void
run_watch_answer(struct exchange *exchange, const char *id, bool wait, int status)
{
    struct waiting *waiting = malloc(sizeof(*waiting));
    struct err err = ERR_INIT;

    if (waiting) {
        *waiting = (struct waiting){.exchange = exchange, .wait = wait, .status = status};
        const struct run_watch_options options = {.id = id,
                                                  .owner = exchange_owner(exchange),
                                                  .interval_ms = ANSWER_LOOK_MS,
                                                  .on_look = on_look,
                                                  .context = waiting};
        waiting->watch = run_watch_new(exchange->app->runs, &options, &err);
    }
    if (!waiting || !waiting->watch) {
        free(waiting);
        err.code = ERR_UNAVAILABLE;
        exchange_fail_err(exchange, &err);
        return;
    }
    exchange->waiting_for = waiting;
    exchange->abandon = abandon_waiting;
}
