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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/utf8.h"
#include "worker/process.h"
#include "worker/verdict_of.h"

/* Forks asked for and not answered: a burst must not fill the control socket. */
#define FORKING_MAX        8
/* Processes in a row that end before they get a job. */
#define EARLY_ENDS_MAX     3
#define EARLY_END_PAUSE_MS 200
#define RECORDS_SLACK      4096

TAILQ_HEAD(execution_list, execution);

struct place;

struct execution {
    TAILQ_ENTRY(execution) link;
    struct execution_list *list; /* the one it is in */
    struct executor *executor;
    struct execution_request request;
    struct place *place; /* NULL unless it runs */
    struct event *timer; /* wall clock; also the end of a job that was cancelled as it waited */
    uint64_t started_us;
    enum kill_reason killed;
};

/* One place of the pool. */
struct place {
    TAILQ_ENTRY(place) warm_link;
    bool in_warm; /* the process is WARM, and in that list */
    struct process process;
    struct execution *execution; /* while the process is RUNNING */
};

TAILQ_HEAD(place_list, place);

struct executor {
    struct event_base *base;
    struct executor_options options;
    struct zygote *zygote;
    struct place *places;
    uint32_t place_count;
    struct place_list warm;        /* longest first */
    struct execution_list waiting; /* oldest first */
    struct execution_list running;
    struct execution_list leaving; /* cancelled as they waited */
    struct event *refill_event;
    uint32_t execution_count, warm_count, forking_count;
    uint32_t early_ends; /* in a row */
    bool dead;           /* the zygote died and is not up again */
    uint64_t boot_us;
    uint32_t deaths;
    struct err last_failure;
};

/* ---- ends ---- */

/* Kept bytes of one stream, not cut inside a character. */
static int
copy_stream(const struct job_memory *memory, int stream, struct result_stream *out)
{
    size_t kept;
    const char *data = job_memory_output(memory, stream, &kept, &out->dropped_bytes);

    if (out->dropped_bytes > 0) {
        size_t whole = utf8_cut(data, kept);
        out->dropped_bytes += kept - whole;
        kept = whole;
    }
    return bytes_copy(&out->kept, data, kept);
}

static void
fail_result(struct result *result, const char *text)
{
    result->error = ERR_SANDBOX_ERROR;
    result->verdict = VERDICT_NONE;
    result->exit_code = -1;
    snprintf(result->detail, sizeof(result->detail), "%s", text);
}

/* Takes the execution out of every list and tells its owner. */
static void
finish(struct execution *execution, struct result *result)
{
    struct executor *executor = execution->executor;
    struct execution_request request = execution->request;

    TAILQ_REMOVE(execution->list, execution, link);
    executor->execution_count--;
    event_free(execution->timer);
    free(execution);
    request.on_done(request.context, result);
}

static void
judge(const struct execution *execution, const struct zygote_event *event, struct result *result)
{
    struct job_memory_header *header = execution->place->process.memory.header;
    char text[sizeof(header->text)];

    memcpy(text, header->text, sizeof(text));
    text[sizeof(text) - 1] = '\0';
    struct ending ending = {
        .status = event->status,
        .killed = execution->killed,
        .cpu_us = event->cpu_us,
        .cpu_limit_us = (uint64_t)execution->request.limits.cpu_ms * 1000,
        .timeout_ms = execution->request.limits.timeout_ms,
        .note = atomic_load(&header->note),
        .trap = atomic_load(&header->trap),
        .exit_code = atomic_load(&header->exit_code),
        .memory_refused = atomic_load(&header->memory_refused) != 0,
        .memory_fatal = atomic_load(&header->memory_fatal) != 0,
        .text = text,
    };
    verdict_of(&ending, result);
}

static void
finish_ended(struct execution *execution, const struct zygote_event *event)
{
    struct result result = {
        .exec_us = clock_monotonic_us() - execution->started_us,
        .cpu_us = event->cpu_us,
        .memory_peak_bytes = event->max_rss_kib * 1024,
        .minor_faults =
            event->minor_faults > UINT32_MAX ? UINT32_MAX : (uint32_t)event->minor_faults,
    };

    judge(execution, event, &result);
    if (copy_stream(&execution->place->process.memory, 0, &result.out) < 0 ||
        copy_stream(&execution->place->process.memory, 1, &result.err) < 0)
        fail_result(&result, "no memory left for the program's output");
    finish(execution, &result);
}

static void
finish_failed(struct execution *execution, const char *text)
{
    struct result result = {.error = ERR_NONE};

    if (execution->started_us != 0)
        result.exec_us = clock_monotonic_us() - execution->started_us;
    fail_result(&result, text);
    finish(execution, &result);
}

/* Only those that are there now: on_done may start others. */
static void
fail_all(struct execution_list *list, const char *text)
{
    struct execution *last = TAILQ_LAST(list, execution_list);
    bool more = last != NULL;

    while (more) {
        struct execution *execution = TAILQ_FIRST(list);
        more = execution != last;
        finish_failed(execution, text);
    }
}

/* ---- starts ---- */

static void
arm(struct execution *execution, uint32_t ms)
{
    struct timeval delay = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    event_add(execution->timer, &delay);
}

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
move_to(struct execution *execution, struct execution_list *list)
{
    TAILQ_REMOVE(execution->list, execution, link);
    TAILQ_INSERT_TAIL(list, execution, link);
    execution->list = list;
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
    if (write_records(place, &execution->request, &err) < 0 ||
        process_go(&place->process, &execution->request.limits, &err) < 0) {
        process_kill(&place->process);
        return;
    }
    execution->started_us = clock_monotonic_us();
    execution->place = place;
    place->execution = execution;
    move_to(execution, &executor->running);
    arm(execution, execution->request.limits.timeout_ms);
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

    if (process_prepare(&place->process, executor->options.input_capacity,
                        executor->options.output_capacity, &theirs, err) < 0)
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
        fail_all(&executor->waiting, text);
    refill_in(executor, EARLY_END_PAUSE_MS);
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
    finish_ended(execution, event);
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
        close(pidfd);
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
    fail_all(&executor->running, err->text);
    fail_all(&executor->waiting, err->text);
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

static void
free_list(struct execution_list *list)
{
    struct execution *execution;

    while ((execution = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, execution, link);
        event_free(execution->timer);
        free(execution);
    }
}

void
executor_free(struct executor *executor)
{
    if (executor == NULL)
        return;
    if (executor->zygote != NULL) {
        free_list(&executor->running);
        free_list(&executor->waiting);
        free_list(&executor->leaving);
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
    };
}

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
    struct execution *execution = context;
    struct result result = {.verdict = VERDICT_CANCELLED, .exit_code = -1};

    (void)fd;
    (void)what;
    if (execution->place == NULL) {
        finish(execution, &result);
        return;
    }
    if (execution->killed == KILL_NONE)
        execution->killed = KILL_TIMEOUT;
    process_kill(&execution->place->process);
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
            needed > executor->options.input_capacity)
            return err_set(err, ERR_TOO_LARGE, 0, "the job's input is larger than %zu bytes",
                           executor->options.input_capacity);
    }
    return 0;
}

struct execution *
executor_run(struct executor *executor, const struct execution_request *request, struct err *err)
{
    if (check_request(executor, request, err) < 0)
        return NULL;
    struct execution *execution = calloc(1, sizeof(*execution));
    if (execution != NULL)
        execution->timer = evtimer_new(executor->base, on_timer, execution);
    if (execution == NULL || execution->timer == NULL) {
        free(execution);
        err_set(err, ERR_SANDBOX_ERROR, ENOMEM, "cannot start a job");
        return NULL;
    }
    execution->executor = executor;
    execution->request = *request;
    execution->list = &executor->waiting;
    TAILQ_INSERT_TAIL(&executor->waiting, execution, link);
    executor->execution_count++;
    match(executor);
    return execution;
}

void
execution_cancel(struct execution *execution)
{
    if (execution->killed != KILL_NONE)
        return;
    execution->killed = KILL_CANCELLED;
    if (execution->place != NULL) {
        process_kill(&execution->place->process);
        return;
    }
    move_to(execution, &execution->executor->leaving);
    arm(execution, 0);
}

const char *
execution_output(const struct execution *execution, int stream, size_t *size)
{
    uint64_t dropped;

    *size = 0;
    if (execution->place == NULL)
        return "";
    return job_memory_output(&execution->place->process.memory, stream, size, &dropped);
}

size_t
execution_job_records(const struct job *job, struct execution_record *records)
{
    records[0] = (struct execution_record){
        .type = JOB_RECORD_ARG, .data = EXECUTION_MAIN_PATH, .size = strlen(EXECUTION_MAIN_PATH)};
    records[1] = (struct execution_record){.type = JOB_RECORD_FILE,
                                           .name = EXECUTION_MAIN_PATH,
                                           .data = job->code.data,
                                           .size = job->code.size};
    records[2] = (struct execution_record){
        .type = JOB_RECORD_STDIN, .data = job->input.data, .size = job->input.size};
    return EXECUTION_JOB_RECORDS;
}

size_t
execution_input_capacity(size_t max_code_bytes, size_t max_stdin_bytes)
{
    return max_code_bytes + max_stdin_bytes + RECORDS_SLACK;
}
