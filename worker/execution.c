/* One job in the executor: its clock, its end, its result. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/utf8.h"
#include "worker/artifacts.h"
#include "worker/executor_internal.h"

#define LINEAR_MEMORY_MOST (UINT64_C(1) << 32)

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

    if (execution->list != NULL)
        TAILQ_REMOVE(execution->list, execution, link);
    executor->execution_count--;
    event_free(execution->timer);
    free(execution);
    request.on_done(request.context, result);
}

/* The job process's words, made a sentence of ASCII: it is printed, logged, and sent as JSON. */
static void
copy_text(char *text, const struct job_memory_header *header)
{
    memcpy(text, header->text, sizeof(header->text));
    text[sizeof(header->text) - 1] = '\0';
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

/* Asked only when there is something to explain: it opens a file. */
static bool
killed_for_memory(const struct execution *execution, int status)
{
    return execution->killed == KILL_NONE && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
           zygote_explains_kill(execution->place->generation->zygote);
}

static void
judge(const struct execution *execution, const struct zygote_event *event, struct result *result)
{
    struct job_memory_header *header = execution->place->process.memory.header;
    char text[sizeof(header->text)];

    copy_text(text, header);
    struct ending ending = {
        .status = event->status,
        .killed = execution->killed,
        .out_of_memory = killed_for_memory(execution, event->status),
        .cpu_us = event->cpu_us,
        .cpu_limit_us = (uint64_t)execution->request.limits.cpu_ms * 1000,
        .timeout_ms = execution->request.limits.timeout_ms,
        .note = atomic_load(&header->note),
        .trap = atomic_load(&header->trap),
        .exit_code = atomic_load(&header->exit_code),
        .denied_call = atomic_load(&header->denied_call),
        .memory_refused = atomic_load(&header->memory_refused) != 0,
        .memory_fatal = atomic_load(&header->memory_fatal) != 0,
        .text = text,
    };
    verdict_of(&ending, result);
}

/* The job process's word, so never more than a linear memory can have. */
static uint64_t
linear_memory_peak(const struct execution *execution)
{
    struct job_memory_header *header = execution->place->process.memory.header;
    uint64_t peak = atomic_load(&header->linear_memory_peak_bytes);

    return peak < LINEAR_MEMORY_MOST ? peak : LINEAR_MEMORY_MOST;
}

/* A program that was stopped was stopped in the middle of something. */
static bool
ended_by_itself(const struct result *result)
{
    return result->verdict == VERDICT_EXITED || result->verdict == VERDICT_MEMORY_LIMIT ||
           result->verdict == VERDICT_CRASHED;
}

void
execution_finish(struct execution *execution, const struct zygote_event *event)
{
    struct result result = {
        .exec_us = clock_monotonic_us() - execution->started_us,
        .cpu_us = event->cpu_us,
        .memory_peak_bytes = event->max_rss_kib * 1024,
        .linear_memory_peak_bytes = linear_memory_peak(execution),
        .minor_faults =
            event->minor_faults > UINT32_MAX ? UINT32_MAX : (uint32_t)event->minor_faults,
    };

    judge(execution, event, &result);
    if (copy_stream(&execution->place->process.memory, 0, &result.out) < 0 ||
        copy_stream(&execution->place->process.memory, 1, &result.err) < 0)
        fail_result(&result, "no memory left for the program's output");
    if (ended_by_itself(&result) &&
        artifacts_read(&execution->place->process.memory, &execution->request.limits,
                       &result.artifacts) < 0)
        fail_result(&result, "no memory left for the program's artifacts");
    finish(execution, &result);
}

void
execution_fail(struct execution *execution, const char *text)
{
    struct result result = {.error = ERR_NONE};

    if (execution->started_us != 0)
        result.exec_us = clock_monotonic_us() - execution->started_us;
    fail_result(&result, text);
    finish(execution, &result);
}

void
execution_fail_all(struct execution_list *list, const char *text)
{
    struct execution *last = TAILQ_LAST(list, execution_list);
    bool more = last != NULL;

    while (more && !TAILQ_EMPTY(list)) {
        struct execution *execution = TAILQ_FIRST(list);
        more = execution != last;
        TAILQ_REMOVE(list, execution, link);
        execution->list = NULL;
        execution_fail(execution, text);
    }
}

static void
arm(struct execution *execution, uint64_t us)
{
    struct timeval delay = {.tv_sec = (time_t)(us / 1000000),
                            .tv_usec = (suseconds_t)(us % 1000000)};

    event_add(execution->timer, &delay);
}

static void
move_to(struct execution *execution, struct execution_list *list)
{
    TAILQ_REMOVE(execution->list, execution, link);
    TAILQ_INSERT_TAIL(list, execution, link);
    execution->list = list;
}

/* A loop's timers may run on another clock than ours, and be early by it. */
static uint64_t
left_us(const struct execution *execution)
{
    uint64_t limit_us = (uint64_t)execution->request.limits.timeout_ms * 1000;
    uint64_t ran_us = clock_monotonic_us() - execution->started_us;

    return ran_us < limit_us ? limit_us - ran_us : 0;
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
    uint64_t left = left_us(execution);
    if (execution->killed == KILL_NONE && left > 0) {
        arm(execution, left);
        return;
    }
    if (execution->killed == KILL_NONE)
        execution->killed = KILL_TIMEOUT;
    process_kill(&execution->place->process);
}

struct execution *
execution_new(struct executor *executor, const struct execution_request *request)
{
    struct execution *execution = calloc(1, sizeof(*execution));

    if (execution != NULL)
        execution->timer = evtimer_new(executor->base, on_timer, execution);
    if (execution == NULL || execution->timer == NULL) {
        free(execution);
        return NULL;
    }
    execution->executor = executor;
    execution->request = *request;
    execution->list = &executor->waiting;
    TAILQ_INSERT_TAIL(&executor->waiting, execution, link);
    executor->execution_count++;
    return execution;
}

void
execution_started(struct execution *execution, struct place *place, uint64_t started_us)
{
    execution->started_us = started_us;
    execution->place = place;
    place->execution = execution;
    move_to(execution, &execution->executor->running);
    arm(execution, left_us(execution));
}

void
execution_lose_place(struct execution *execution, struct execution_list *list)
{
    execution->place = NULL;
    move_to(execution, list);
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

void
execution_free_all(struct execution_list *list)
{
    struct execution *execution;

    while ((execution = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, execution, link);
        event_free(execution->timer);
        free(execution);
    }
}
