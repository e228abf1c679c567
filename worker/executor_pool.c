/*
 * The pool of job processes.
 *
 * A free place is filled at once while there is a zygote: memory and socket are made here, the
 * zygote forks, and the process is WARM when its pidfd arrives. A job takes the process that has
 * waited longest. When a job ends its answer goes first: places are refilled in an event of their
 * own, behind whatever the loop has to do for the answer.
 *
 * slots + spare places are in use. When a new zygote takes over there is one more: each process of
 * the old one that still waits is dismissed when one of the new is there in its stead, so that a
 * job never finds fewer than before.
 *
 * A process that ends before it got a job (not the job's doing) costs nobody anything but time;
 * when that happens again and again the jobs that wait are told so instead of waiting for ever.
 */
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
    zygotes_note_job(place->generation);
}

void
pool_match(struct executor *executor)
{
    while (!TAILQ_EMPTY(&executor->waiting) && !TAILQ_EMPTY(&executor->warm))
        start_in(TAILQ_FIRST(&executor->warm), TAILQ_FIRST(&executor->waiting));
}

/* ---- the pool ---- */

/* The process is gone, or was never there. */
static void
free_place(struct executor *executor, struct place *place)
{
    struct generation *generation = place->generation;

    if (place->process.state == PROCESS_FORKING)
        executor->forking_count--;
    if (place->in_warm)
        leave_warm(executor, place);
    process_ended(&place->process, executor->place_count);
    place->generation = NULL;
    place->dismissed = false;
    zygotes_release(generation);
}

static int
fill(struct executor *executor, struct place *place, struct err *err)
{
    int theirs;

    if (process_prepare(&place->process, &executor->options.memory, &theirs, err) < 0)
        return -1;
    executor->forking_count++;
    place->generation = executor->current;
    place->generation->process_count++;
    int result = zygote_fork(place->generation->zygote, place->process.serial, theirs,
                             place->process.memory.fd, err);
    close(theirs);
    if (result < 0)
        free_place(executor, place);
    return result;
}

void
pool_refill_in(struct executor *executor, unsigned ms)
{
    struct timeval delay = {.tv_sec = 0, .tv_usec = (suseconds_t)ms * 1000};

    if (!evtimer_pending(executor->refill_event, NULL))
        evtimer_add(executor->refill_event, &delay);
}

/* The process that has waited longest of those that a former zygote forked; NULL: none waits. */
static struct place *
outdated_place(struct executor *executor)
{
    struct place *place;

    TAILQ_FOREACH(place, &executor->warm, warm_link)
    if (place->generation != executor->current)
        return place;
    return NULL;
}

/* How many processes there may be more than there are. */
static uint32_t
missing_processes(struct executor *executor)
{
    uint32_t wanted = executor->options.slots + executor->options.spare;
    uint32_t there = 0;

    for (uint32_t i = 0; i < executor->place_count; i++)
        there +=
            executor->places[i].process.state != PROCESS_FREE && !executor->places[i].dismissed;
    if (outdated_place(executor) != NULL)
        wanted++;
    return wanted > there ? wanted - there : 0;
}

static void
refill(evutil_socket_t fd, short what, void *context)
{
    struct executor *executor = context;
    uint32_t missing = missing_processes(executor);
    struct err err = ERR_INIT;

    (void)fd;
    (void)what;
    for (uint32_t i = 0; i < executor->place_count && missing > 0; i++) {
        struct place *place = &executor->places[i];
        if (!zygote_ready(executor->current->zygote) || executor->forking_count >= FORKING_MAX)
            return;
        if (place->process.state != PROCESS_FREE)
            continue;
        if (fill(executor, place, &err) < 0) {
            /* Out of descriptors or memory, or the socket is full: none of it lasts. */
            log_err(LOG_WARNING, "fork_postponed", &err);
            pool_refill_in(executor, EARLY_END_PAUSE_MS);
            return;
        }
        missing--;
    }
}

/* It ends by itself, without a job; its EXITED follows and frees the place. */
static void
dismiss(struct executor *executor, struct place *place)
{
    if (place->in_warm)
        leave_warm(executor, place);
    place->dismissed = true;
    process_dismiss(&place->process);
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
    pool_refill_in(executor, EARLY_END_PAUSE_MS);
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
    bool dismissed = place->dismissed;

    if (event->type == ZYGOTE_FAILED)
        snprintf(text, sizeof(text), "%s", event->text);
    else if (WIFSIGNALED(event->status) && WTERMSIG(event->status) == SIGSYS)
        describe_denied(place, text, sizeof(text));
    else if (WIFSIGNALED(event->status) && WTERMSIG(event->status) == SIGKILL &&
             zygote_explains_kill(place->generation->zygote))
        snprintf(text, sizeof(text), "job processes that wait are killed for want of memory");
    else
        snprintf(text, sizeof(text),
                 "job processes end (status 0x%x) before they get a job: %.120s",
                 (unsigned)event->status, place->process.memory.header->text);
    free_place(executor, place);
    if (dismissed)
        pool_refill_in(executor, 0);
    else
        early_end(executor, text);
}

static void
on_running_ended(struct executor *executor, struct place *place, const struct zygote_event *event)
{
    struct execution *execution = place->execution;

    executor->early_ends = 0;
    place->execution = NULL;
    execution_finish(execution, event);
    free_place(executor, place);
    pool_refill_in(executor, 0);
}

/* ---- what a zygote says ---- */

void
pool_forked(struct executor *executor, uint32_t serial, int pidfd)
{
    struct place *place = find_place(executor, serial);

    if (place == NULL || place->process.state != PROCESS_FORKING) {
        if (pidfd >= 0)
            close(pidfd);
        return;
    }
    if (pidfd < 0) {
        /* It could not be killed, so it gets no job. */
        LOG(LOG_WARNING, "fork_postponed", {"message", LOG_STR("no descriptor is left for it")});
        process_dismiss(&place->process);
        return;
    }
    executor->forking_count--;
    process_forked(&place->process, pidfd);
    TAILQ_INSERT_TAIL(&executor->warm, place, warm_link);
    place->in_warm = true;
    executor->warm_count++;
    pool_match(executor);
    struct place *outdated = outdated_place(executor);
    if (outdated != NULL && place->generation == executor->current)
        dismiss(executor, outdated);
    pool_refill_in(executor, 0);
}

void
pool_ended(struct executor *executor, const struct zygote_event *event)
{
    struct place *place = find_place(executor, event->serial);

    if (place == NULL)
        return;
    if (place->execution != NULL)
        on_running_ended(executor, place, event);
    else
        on_idle_ended(executor, place, event);
}

void
pool_zygote_died(struct generation *generation, const char *text)
{
    struct executor *executor = generation->executor;
    struct execution_list lost = TAILQ_HEAD_INITIALIZER(lost);

    for (uint32_t i = 0; i < executor->place_count; i++) {
        struct place *place = &executor->places[i];
        if (place->process.state == PROCESS_FREE || place->generation != generation)
            continue;
        if (place->execution != NULL)
            execution_lose_place(place->execution, &lost);
        place->execution = NULL;
        process_kill(&place->process);
        free_place(executor, place);
    }
    /* Of a zygote that another one has replaced: that one forks in their stead. */
    pool_refill_in(executor, 0);
    execution_fail_all(&lost, text);
}

/* ---- from the start to the end ---- */

int
pool_init(struct executor *executor, struct err *err)
{
    /* One more for the time in which a zygote takes over. */
    executor->place_count = executor->options.slots + executor->options.spare + 1;
    executor->places = calloc(executor->place_count, sizeof(*executor->places));
    executor->refill_event = evtimer_new(executor->base, refill, executor);
    if (executor->places == NULL || executor->refill_event == NULL)
        return err_set(err, ERR_SYSTEM, ENOMEM, "cannot make an executor");
    for (uint32_t i = 0; i < executor->place_count; i++)
        process_init(&executor->places[i].process, executor->place_count + i);
    return 0;
}

void
pool_fini(struct executor *executor)
{
    for (uint32_t i = 0; executor->places != NULL && i < executor->place_count; i++) {
        struct place *place = &executor->places[i];
        if (place->process.state == PROCESS_FREE)
            continue;
        process_kill(&place->process);
        process_ended(&place->process, executor->place_count);
    }
    free(executor->places);
    if (executor->refill_event != NULL)
        event_free(executor->refill_event);
}
