/*
 * The pool of warm job processes and the jobs that run in them.
 *
 * There are slots + spare places. A free place is filled at once while the zygote is up: memory
 * and socket are made here, the zygote forks, and the process is WARM when its pidfd arrives. A
 * job takes the process that has waited longest. When a job ends its answer goes first: places are
 * refilled in an event of their own, behind whatever the loop has to do for the answer.
 *
 *     executor_run ─▶ waiting ──warm process──▶ running ──EXITED──▶ on_done
 *                        │                         │  wall clock, cancel: SIGKILL, then EXITED
 *                        └── zygote dies ──────────┴──▶ on_done with sandbox_error
 *
 * A process that ends before it got a job (not the job's doing) costs nobody anything but time;
 * when that happens again and again the jobs that wait are told so instead of waiting for ever.
 */
#include "worker/executor.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/call_filter.h"
#include "common/clock.h"
#include "common/log.h"
#include "worker/executor_internal.h"

/* Forks asked for and not answered: a burst must not fill the control socket. */
#define FORKING_MAX        8
/* Processes in a row that end before they get a job. */
#define EARLY_ENDS_MAX     3
#define EARLY_END_PAUSE_MS 200

/* ---- starts ---- */

static int
write_records(struct place *place, const struct execution_request *request, struct err *err)
{
    for (size_t i = 0; i < request->record_count; i++) {
        const struct execution_record *record = &request->records[i];
        if (job_memory_add_record(&place->process.memory, record->type, record->name, record->data,
                                  record->size, err) < 0)
            return -1;
    }
    return 0;
}

static void
leave_warm(struct executor *executor, struct place *place)
{
    TAILQ_REMOVE(&executor->warm, place, warm_link);
    place->in_warm = false;
    executor->warm_count--;
}

/* When the process turns out to be gone, the job stays where it is; an EXITED is on the way. */
static void
start_in(struct place *place, struct execution *execution)
{
    struct executor *executor = execution->executor;
    struct err err = ERR_INIT;

    leave_warm(executor, place);
    if (write_records(place, &execution->request, &err) < 0) {
        process_kill(&place->process);
        return;
    }
    /* Before the go byte: the program may be done before this process runs again. */
    uint64_t started_us = clock_monotonic_us();
    if (process_go(&place->process, &execution->request.limits, &err) < 0) {
        process_kill(&place->process);
        return;
    }
    execution_started(execution, place, started_us);
}

static void
match(struct executor *executor)
{
    while (!TAILQ_EMPTY(&executor->waiting) && !TAILQ_EMPTY(&executor->warm))
        start_in(TAILQ_FIRST(&executor->warm), TAILQ_FIRST(&executor->waiting));
}

/* ---- the pool ---- */

static int
fill(struct executor *executor, struct place *place, struct err *err)
{
    int theirs;

    if (process_prepare(&place->process, &executor->options.memory, &theirs, err) < 0)
        return -1;
    int result =
        zygote_fork(executor->zygote, place->process.serial, theirs, place->process.memory.fd, err);
    close(theirs);
    if (result < 0) {
        process_ended(&place->process, executor->place_count);
        return -1;
    }
    executor->forking_count++;
    return 0;
}

static void
refill_in(struct executor *executor, unsigned ms)
{
    struct timeval delay = {.tv_sec = 0, .tv_usec = (suseconds_t)ms * 1000};

    if (!evtimer_pending(executor->refill_event, NULL))
        evtimer_add(executor->refill_event, &delay);
}

static void
refill(evutil_socket_t fd, short what, void *context)
{
    struct executor *executor = context;
    struct err err = ERR_INIT;

    (void)fd;
    (void)what;
    for (uint32_t i = 0; i < executor->place_count; i++) {
        struct place *place = &executor->places[i];
        if (!zygote_ready(executor->zygote) || executor->forking_count >= FORKING_MAX)
            return;
        if (place->process.state != PROCESS_FREE)
            continue;
        if (fill(executor, place, &err) < 0) {
            /* Out of descriptors or memory, or the socket is full: none of it lasts. */
            log_err(LOG_WARNING, "fork_postponed", &err);
            refill_in(executor, EARLY_END_PAUSE_MS);
            return;
        }
    }
}

/* The place that a serial names, or NULL when its process has been given up. */
static struct place *
find_place(struct executor *executor, uint32_t serial)
{
    struct place *place = &executor->places[serial % executor->place_count];

    return place->process.serial == serial && place->process.state != PROCESS_FREE ? place : NULL;
}

/* A process ended without having had a job. */
static void
early_end(struct executor *executor, const char *text)
{
    if (++executor->early_ends >= EARLY_ENDS_MAX)
        execution_fail_all(&executor->waiting, text);
    refill_in(executor, EARLY_END_PAUSE_MS);
}

static void
describe_denied(const struct place *place, char *text, size_t size)
{
    uint32_t denied = atomic_load(&place->process.memory.header->denied_call);
    char name[CALL_NAME_SIZE] = "unknown";

    if (denied != 0)
        call_name((int)(denied - 1), name);
    snprintf(text, size, "job processes make a system call that is not allowed: %s", name);
}

static void
on_idle_ended(struct executor *executor, struct place *place, const struct zygote_event *event)
{
    char text[sizeof(event->text)];

    if (place->process.state == PROCESS_FORKING)
        executor->forking_count--;
    if (place->in_warm)
        leave_warm(executor, place);
    if (event->type == ZYGOTE_FAILED)
        snprintf(text, sizeof(text), "%s", event->text);
    else if (WIFSIGNALED(event->status) && WTERMSIG(event->status) == SIGSYS)
        describe_denied(place, text, sizeof(text));
    else
        snprintf(text, sizeof(text),
                 "job processes end (status 0x%x) before they get a job: %.120s",
                 (unsigned)event->status, place->process.memory.header->text);
    process_ended(&place->process, executor->place_count);
    early_end(executor, text);
}

static void
on_running_ended(struct executor *executor, struct place *place, const struct zygote_event *event)
{
    struct execution *execution = place->execution;

    executor->early_ends = 0;
    place->execution = NULL;
    execution_finish(execution, event);
    process_ended(&place->process, executor->place_count);
    refill_in(executor, 0);
}

/* ---- what the zygote says ---- */

static void
on_ready(void *context, uint64_t boot_us)
{
    struct executor *executor = context;

    executor->dead = false;
    executor->boot_us = boot_us;
    refill_in(executor, 0);
    if (executor->options.on_state != NULL)
        executor->options.on_state(executor->options.context, NULL);
}

static void
on_forked(void *context, uint32_t serial, int pidfd)
{
    struct executor *executor = context;
    struct place *place = find_place(executor, serial);

    if (place == NULL || place->process.state != PROCESS_FORKING) {
        if (pidfd >= 0)
            close(pidfd);
        return;
    }
    if (pidfd < 0) {
        /* It could not be killed, so it gets no job; its EXITED follows and frees the place. */
        LOG(LOG_WARNING, "fork_postponed", {"message", LOG_STR("no descriptor is left for it")});
        process_dismiss(&place->process);
        return;
    }
    executor->forking_count--;
    process_forked(&place->process, pidfd);
    TAILQ_INSERT_TAIL(&executor->warm, place, warm_link);
    place->in_warm = true;
    executor->warm_count++;
    match(executor);
    refill_in(executor, 0);
}

static void
on_ended(void *context, const struct zygote_event *event)
{
    struct executor *executor = context;
    struct place *place = find_place(executor, event->serial);

    if (place == NULL)
        return;
    if (place->execution != NULL)
        on_running_ended(executor, place, event);
    else
        on_idle_ended(executor, place, event);
}

/* All job processes are gone with it, or will be at once. */
static void
empty_places(struct executor *executor)
{
    for (uint32_t i = 0; i < executor->place_count; i++) {
        struct place *place = &executor->places[i];
        if (place->process.state == PROCESS_FREE)
            continue;
        if (place->in_warm)
            leave_warm(executor, place);
        if (place->execution != NULL)
            place->execution->place = NULL;
        place->execution = NULL;
        process_kill(&place->process);
        process_ended(&place->process, executor->place_count);
    }
    executor->forking_count = 0;
}

static void
on_death(void *context, const struct err *err)
{
    struct executor *executor = context;

    executor->dead = true;
    executor->deaths++;
    executor->last_failure = *err;
    empty_places(executor);
    execution_fail_all(&executor->running, err->text);
    execution_fail_all(&executor->waiting, err->text);
    if (executor->options.on_state != NULL)
        executor->options.on_state(executor->options.context, err);
}

/* ---- the interface ---- */

struct executor *
executor_new(struct event_base *base, const struct executor_options *options, struct err *err)
{
    struct executor *executor = calloc(1, sizeof(*executor));
    struct zygote_hooks hooks = {.on_ready = on_ready,
                                 .on_forked = on_forked,
                                 .on_ended = on_ended,
                                 .on_death = on_death,
                                 .context = executor};

    if (executor == NULL)
        goto out_of_memory;
    executor->base = base;
    executor->options = *options;
    executor->place_count = options->slots + options->spare;
    TAILQ_INIT(&executor->warm);
    TAILQ_INIT(&executor->waiting);
    TAILQ_INIT(&executor->running);
    TAILQ_INIT(&executor->leaving);
    executor->places = calloc(executor->place_count, sizeof(*executor->places));
    executor->refill_event = evtimer_new(base, refill, executor);
    if (executor->places == NULL || executor->refill_event == NULL)
        goto out_of_memory;
    for (uint32_t i = 0; i < executor->place_count; i++)
        process_init(&executor->places[i].process, executor->place_count + i);
    executor->zygote = zygote_new(base, options->command, &hooks, err);
    if (executor->zygote != NULL)
        return executor;
    executor_free(executor);
    return NULL;
out_of_memory:
    executor_free(executor);
    err_set(err, ERR_SYSTEM, ENOMEM, "cannot make an executor");
    return NULL;
}

void
executor_free(struct executor *executor)
{
    if (executor == NULL)
        return;
    if (executor->zygote != NULL) {
        execution_free_all(&executor->running);
        execution_free_all(&executor->waiting);
        execution_free_all(&executor->leaving);
        for (uint32_t i = 0; i < executor->place_count; i++)
            executor->places[i].execution = NULL;
        empty_places(executor);
        zygote_free(executor->zygote);
    }
    if (executor->refill_event != NULL)
        event_free(executor->refill_event);
    free(executor->places);
    free(executor);
}

void
executor_stats(const struct executor *executor, struct executor_stats *stats)
{
    *stats = (struct executor_stats){
        .ready = zygote_ready(executor->zygote),
        .zygote_pid = zygote_pid(executor->zygote),
        .boot_us = executor->boot_us,
        .running = executor->execution_count,
        .warm = executor->warm_count,
        .zygote_deaths = executor->deaths,
        .last_failure = executor->last_failure,
        .layer_reports = zygote_layer_reports(executor->zygote),
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
    match(executor);
    return execution;
}
