/*
 * Theory of operation
 *
 *     queue ──on_job──▶ assignment ──executor_run──▶ on_done ──queue_worker_finish──▶ on_finished
 *                          │  guard timer                ▲
 *       on_cancel ─────────┴── execution_cancel ─────────┘
 *
 * Each language has one executor with slots of its own. The queue may hand over as many jobs as
 * there are slots without one, while the zygote is ready; it is told whenever that number changes.
 *
 * An assignment lives from on_job to its result having been given to the queue, which keeps it
 * from there; the number of results that the queue has not acknowledged is kept for draining.
 * Every assignment has a guard timer beyond the executor's own limits, so that a job that cannot
 * be started in time is answered all the same. What a guard, a client or draining has stopped is
 * remembered in `stop` and told apart when the execution ends.
 */
#include "worker/scheduler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/log.h"
#include "worker/job_log.h"
#include "worker/scheduler_internal.h"
#include "worker/worker_metrics.h"

/* answer_by allows this much after start_by and the timeout (docs/PROTOCOL.md): later is no use. */
#define GUARD_GRACE_MS 2000

/* ---- capacity ---- */

void
scheduler_update_capacity(struct lane *lane)
{
    struct scheduler *scheduler = lane->scheduler;

    if (lane->open)
        queue_worker_set_capacity(scheduler->queue, lane->name,
                                  scheduler->drain_timer ? 0 : lane_free_slots(lane));
}

/* The zygote became ready, or died. */
static void
on_executor_state(void *context, const struct err *err)
{
    struct lane *lane = context;
    struct executor_stats stats;

    executor_stats(lane->executor, &stats);
    if (err)
        LOG(LOG_ERROR, "zygote_died", {"language", LOG_STR(lane->name)},
            {"error", LOG_STR(err_code_name(err->code))}, {"message", LOG_STR(err->text)});
    else
        LOG(LOG_INFO, "zygote_ready", {"language", LOG_STR(lane->name)},
            {"pid", LOG_INT(stats.zygote_pid)}, {"boot_us", LOG_UINT(stats.boot_us)});
    scheduler_update_capacity(lane);
}

static int
accept_zygote(void *context, const struct layer_report *reports, struct err *err)
{
    const struct lane *lane = context;
    const struct scheduler *scheduler = lane->scheduler;

    return scheduler->accept(scheduler->options_context, (size_t)(lane - scheduler->lanes), reports,
                             err);
}

/* ---- the life of an assignment ---- */

static void
assignment_free(struct assignment *assignment)
{
    LIST_REMOVE(assignment, link);
    live_output_fini(&assignment->live);
    if (assignment->guard)
        event_free(assignment->guard);
    execution_records_fini(&assignment->records);
    queue_claim_fini(&assignment->claim);
    free(assignment);
}

/* Gives result to the queue. Takes nothing. */
static void
publish(struct scheduler *scheduler, const struct queue_claim *claim, struct result *result)
{
    struct err err = ERR_INIT;

    memcpy(result->id, claim->job.id, sizeof(result->id));
    result->queue_us = claim->queue_us;
    (void)snprintf(result->worker, sizeof(result->worker), "%s", scheduler->worker_id);
    if (queue_worker_finish(scheduler->queue, claim, result, &err) < 0)
        log_err(LOG_ERROR, "finish_failed", &err);
    else
        scheduler->unacknowledged++;
    job_log_result(claim, result);
}

static void
publish_error(struct scheduler *scheduler, const struct queue_claim *claim, const struct err *err)
{
    struct result result = {.error = err->code, .exit_code = -1};

    (void)snprintf(result.detail, sizeof(result.detail), "%.*s", (int)sizeof(result.detail) - 1,
                   err->text);
    publish(scheduler, claim, &result);
}

/* What we stopped to end ourselves is not over: another worker may run it. */
static void
hand_back(struct scheduler *scheduler, const struct queue_claim *claim)
{
    struct err err = ERR_INIT;

    LOG(LOG_INFO, "job_handed_back", {"id", LOG_STR(claim->job.id)});
    if (queue_worker_hand_back(scheduler->queue, claim, &err) < 0)
        log_err(LOG_ERROR, "hand_back_failed", &err);
    else
        scheduler->unacknowledged++;
}

/* A verdict about a program that we have stopped would be no truth about the program. */
static void
replace_by_stop(const struct assignment *assignment, struct result *result)
{
    if (assignment->stop == ERR_NONE || result->verdict != VERDICT_CANCELLED)
        return;
    result->verdict = VERDICT_NONE;
    result->error = assignment->stop;
    (void)snprintf(result->detail, sizeof(result->detail), "%s", err_code_text(assignment->stop));
}

static void
on_execution_done(void *context, struct result *result)
{
    struct assignment *assignment = context;
    struct lane *lane = assignment->lane;

    if (assignment->stop == ERR_WORKER_LOST && result->verdict == VERDICT_CANCELLED) {
        hand_back(lane->scheduler, &assignment->claim);
    } else {
        replace_by_stop(assignment, result);
        publish(lane->scheduler, &assignment->claim, result);
        live_output_end(&assignment->live, result);
    }
    result_fini(result);
    assignment_free(assignment);
    lane->running--;
    scheduler_update_capacity(lane);
    scheduler_check_drained(lane->scheduler);
}

void
assignment_stop(struct assignment *assignment, enum err_code why)
{
    if (assignment->stopped)
        return;
    assignment->stopped = true;
    assignment->stop = why;
    execution_cancel(assignment->execution);
}

static void
on_guard(evutil_socket_t fd, short events, void *context)
{
    (void)fd;
    (void)events;
    assignment_stop(context, ERR_SANDBOX_ERROR);
}

static int
arm_guard(struct assignment *assignment, struct err *err)
{
    uint64_t ms = (uint64_t)assignment->claim.job.limits.timeout_ms + GUARD_GRACE_MS;
    struct timeval after = {.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

    assignment->guard = evtimer_new(assignment->lane->scheduler->base, on_guard, assignment);
    if (!assignment->guard || evtimer_add(assignment->guard, &after) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, ENOMEM, "starting a timer");
    return 0;
}

/* ---- what the queue calls ---- */

static struct lane *
find_lane(struct scheduler *scheduler, const char *language)
{
    for (size_t i = 0; i < scheduler->lane_count; i++) {
        if (strcmp(scheduler->lanes[i].name, language) == 0)
            return &scheduler->lanes[i];
    }
    return NULL;
}

static void
execute(struct assignment *assignment, struct err *err)
{
    struct execution_request request = {
        .records = assignment->records.list,
        .record_count = assignment->records.count,
        .limits = assignment->claim.job.limits,
        .on_done = on_execution_done,
        .context = assignment,
    };

    assignment->execution = executor_run(assignment->lane->executor, &request, err);
}

/* On success the assignment has the claim, and its on_done will follow. */
static int
start(struct scheduler *scheduler, struct queue_claim *claim, struct err *err)
{
    struct lane *lane = find_lane(scheduler, claim->job.language);

    if (!lane)
        return err_set(err, ERR_REJECTED, 0, "This worker does not run the language \"%s\".",
                       claim->job.language);
    if (job_admit(&lane->maxima, &claim->job, err) < 0)
        return -1;
    struct assignment *assignment = calloc(1, sizeof(*assignment));
    if (!assignment)
        return err_set(err, ERR_SANDBOX_ERROR, ENOMEM, "taking a job");
    *assignment = (struct assignment){.lane = lane, .claim = *claim};
    LIST_INSERT_HEAD(&scheduler->assignments, assignment, link);
    if (execution_records_init(&assignment->records, &assignment->claim.job, err) == 0 &&
        arm_guard(assignment, err) == 0)
        execute(assignment, err);
    if (!assignment->execution) {
        assignment->claim = (struct queue_claim){0}; /* stays the caller's */
        assignment_free(assignment);
        return -1;
    }
    if (assignment->claim.job.events)
        live_output_begin(&assignment->live, scheduler->base, scheduler->queue, &assignment->claim,
                          assignment->execution);
    lane->running++;
    return 0;
}

static void
on_job(void *context, struct queue_claim *claim)
{
    struct scheduler *scheduler = context;
    struct err err = ERR_INIT;

    if (start(scheduler, claim, &err) == 0)
        return;
    struct lane *lane = find_lane(scheduler, claim->job.language);
    publish_error(scheduler, claim, &err);
    queue_claim_fini(claim);
    if (lane)
        scheduler_update_capacity(lane);
}

static void
on_cancel(void *context, const char *id, uint64_t epoch)
{
    struct scheduler *scheduler = context;
    struct assignment *assignment;

    /* A job may be here twice: taken over as lost, and claimed again. */
    for (assignment = LIST_FIRST(&scheduler->assignments); assignment;
         assignment = LIST_NEXT(assignment, link)) {
        const struct queue_claim *claim = &assignment->claim;
        if (strcmp(claim->job.id, id) == 0 && (epoch == 0 || epoch == claim->epoch))
            assignment_stop(assignment, ERR_NONE);
    }
}

static void
on_drain(void *context)
{
    struct scheduler *scheduler = context;

    if (scheduler->on_drain_wish)
        scheduler->on_drain_wish(scheduler->options_context);
}

static void
on_finished(void *context, const char *id, const struct err *err)
{
    struct scheduler *scheduler = context;

    worker_metrics_finished(err);
    if (err)
        LOG(LOG_WARNING, "result_not_taken", {"id", LOG_STR(id)},
            {"error", LOG_STR(err_code_name(err->code))}, {"message", LOG_STR(err->text)});
    if (scheduler->unacknowledged > 0)
        scheduler->unacknowledged--;
    scheduler_check_drained(scheduler);
}

struct queue_worker_hooks
scheduler_queue_hooks(struct scheduler *scheduler)
{
    return (struct queue_worker_hooks){
        .on_job = on_job,
        .on_cancel = on_cancel,
        .on_drain = on_drain,
        .on_finished = on_finished,
        .context = scheduler,
    };
}

void
scheduler_set_queue(struct scheduler *scheduler, size_t language, struct queue_worker *queue)
{
    scheduler->queue = queue;
    scheduler->lanes[language].open = true;
    queue_worker_set_slots(queue, scheduler->lanes[language].name,
                           scheduler->lanes[language].slots);
    scheduler_update_capacity(&scheduler->lanes[language]);
}

void
scheduler_stats(const struct scheduler *scheduler, size_t language, struct executor_stats *stats)
{
    executor_stats(scheduler->lanes[language].executor, stats);
}

const char *const *
scheduler_languages(const struct scheduler *scheduler)
{
    return scheduler->languages;
}

uint32_t
scheduler_busy(const struct scheduler *scheduler)
{
    uint32_t busy = scheduler->unacknowledged;

    for (size_t i = 0; i < scheduler->lane_count; i++)
        busy += scheduler->lanes[i].running;
    return busy;
}

/* ---- construction ---- */

static int
lanes_init(struct scheduler *scheduler, const struct scheduler_options *options, struct err *err)
{
    const struct lane_hooks hooks = {options->accept ? accept_zygote : NULL, on_executor_state};

    scheduler->lanes = calloc(options->language_count, sizeof(*scheduler->lanes));
    scheduler->languages = calloc(options->language_count + 1, sizeof(*scheduler->languages));
    if (!scheduler->lanes || !scheduler->languages)
        return err_set(err, ERR_SYSTEM, ENOMEM, "making the scheduler");
    for (size_t i = 0; i < options->language_count; i++) {
        struct lane *lane = &scheduler->lanes[scheduler->lane_count++];
        lane->scheduler = scheduler;
        if (lane_init(lane, options, &options->languages[i], &hooks, err) < 0)
            return -1;
        scheduler->languages[i] = lane->name;
    }
    return 0;
}

struct scheduler *
scheduler_new(const struct scheduler_options *options, struct err *err)
{
    struct scheduler *scheduler = calloc(1, sizeof(*scheduler));

    if (!scheduler) {
        err_set(err, ERR_SYSTEM, ENOMEM, "making the scheduler");
        return NULL;
    }
    scheduler->base = options->base;
    scheduler->worker_id = options->worker_id;
    scheduler->accept = options->accept;
    scheduler->on_drain_wish = options->on_drain_wish;
    scheduler->options_context = options->context;
    LIST_INIT(&scheduler->assignments);
    if (lanes_init(scheduler, options, err) < 0) {
        scheduler_free(scheduler);
        return NULL;
    }
    return scheduler;
}

void
scheduler_free(struct scheduler *scheduler)
{
    if (!scheduler)
        return;
    /* First: it calls nothing back, so that the assignments may go. */
    for (size_t i = 0; i < scheduler->lane_count; i++)
        lane_fini(&scheduler->lanes[i]);
    for (struct assignment *at = LIST_FIRST(&scheduler->assignments), *next; at; at = next) {
        next = LIST_NEXT(at, link);
        assignment_free(at);
    }
    if (scheduler->drain_timer)
        event_free(scheduler->drain_timer);
    free(scheduler->lanes);
    free(scheduler->languages);
    free(scheduler);
}
