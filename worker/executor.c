/*
 * Jobs and the processes that they run in.
 *
 *     executor_pool.c      places: forking ahead of need, giving jobs to processes that wait
 *     executor_zygotes.c   which zygote forks, and when another one takes over
 *     execution.c          one job: its clock, its end, its result
 *
 *     executor_run ─▶ waiting ──warm process──▶ running ──EXITED──▶ on_done
 *                        │                         │  wall clock, cancel: SIGKILL, then EXITED
 *                        └── zygote dies ──────────┴──▶ on_done with sandbox_error
 */
#include "worker/executor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/executor_internal.h"

struct executor *
executor_new(struct event_base *base, const struct executor_options *options, struct err *err)
{
    struct executor *executor = calloc(1, sizeof(*executor));

    if (executor == NULL) {
        err_set(err, ERR_SYSTEM, ENOMEM, "cannot make an executor");
        return NULL;
    }
    executor->base = base;
    executor->options = *options;
    TAILQ_INIT(&executor->waiting);
    TAILQ_INIT(&executor->running);
    TAILQ_INIT(&executor->leaving);
    TAILQ_INIT(&executor->warm);
    TAILQ_INIT(&executor->retired);
    if (pool_init(executor, err) == 0 && zygotes_init(executor, err) == 0)
        return executor;
    executor_free(executor);
    return NULL;
}

void
executor_free(struct executor *executor)
{
    if (executor == NULL)
        return;
    execution_free_all(&executor->running);
    execution_free_all(&executor->waiting);
    execution_free_all(&executor->leaving);
    pool_fini(executor);
    zygotes_fini(executor);
    free(executor);
}

void
executor_stats(const struct executor *executor, struct executor_stats *stats)
{
    const struct zygote *zygote = executor->current->zygote;

    *stats = (struct executor_stats){
        .ready = zygote_ready(zygote),
        .zygote_pid = zygote_pid(zygote),
        .boot_us = executor->boot_us,
        .running = executor->execution_count,
        .warm = executor->warm_count,
        .zygote_deaths = executor->deaths,
        .zygotes_replaced = executor->replaced,
        .last_failure = executor->last_failure,
        .layer_reports = zygote_layer_reports(zygote),
    };
}

static int
check_request(const struct executor *executor, const struct execution_request *request,
              struct err *err)
{
    size_t needed = 0;

    if (executor->execution_count >= executor->options.slots)
        return err_set(err, ERR_QUEUE_FULL, 0, "all %u slots are taken", executor->options.slots);
    if (executor->dead)
        return err_set(err, ERR_SANDBOX_ERROR, 0, "%s", executor->last_failure.text);
    for (size_t i = 0; i < request->record_count; i++) {
        const struct execution_record *record = &request->records[i];
        size_t bytes =
            job_record_bytes(record->name != NULL ? strlen(record->name) : 0, record->size);
        if (__builtin_add_overflow(needed, bytes, &needed) ||
            needed > executor->options.memory.input)
            return err_set(err, ERR_TOO_LARGE, 0, "the job's input is larger than %zu bytes",
                           executor->options.memory.input);
    }
    return 0;
}

struct execution *
executor_run(struct executor *executor, const struct execution_request *request, struct err *err)
{
    if (check_request(executor, request, err) < 0)
        return NULL;
    struct execution *execution = execution_new(executor, request);
    if (execution == NULL) {
        err_set(err, ERR_SANDBOX_ERROR, ENOMEM, "cannot start a job");
        return NULL;
    }
    pool_match(executor);
    return execution;
}
