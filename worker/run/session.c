#include "worker/run/session.h"

#include <errno.h>
#include <event2/event.h>
#include <unistd.h>

#include "worker/loop.h"

#define STREAM_COUNT   2
#define POLL_PERIOD_US 10000

struct running {
    struct event_base *base;
    struct executor *executor;
    struct execution *execution; /* NULL when it has ended */
    struct event *poll_event;
    size_t copied[STREAM_COUNT];
    struct result *result;
    bool stream;
    struct cgroup_tree cgroups; /* only if a layer is required */
};

/* Writes what has come since the last time. Whoever reads our output slowly makes us wait only. */
static void
copy_new(struct running *running, int stream, const char *data, size_t size)
{
    while (running->copied[stream] < size) {
        ssize_t written =
            write(stream + 1, data + running->copied[stream], size - running->copied[stream]);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            running->copied[stream] = size;
            return;
        }
        running->copied[stream] += (size_t)written;
    }
}

static void
on_poll(evutil_socket_t fd, short what, void *context)
{
    struct running *running = context;

    (void)fd;
    (void)what;
    for (int stream = 0; running->execution != NULL && stream < STREAM_COUNT; stream++) {
        size_t size;
        const char *data = execution_output(running->execution, stream, &size);
        copy_new(running, stream, data, size);
    }
}

static void
on_done(void *context, struct result *result)
{
    struct running *running = context;

    *running->result = *result;
    running->execution = NULL;
    if (running->stream) {
        copy_new(running, 0, result->out.kept.data, result->out.kept.size);
        copy_new(running, 1, result->err.kept.data, result->err.kept.size);
    }
    event_base_loopbreak(running->base);
}

static int
require(const struct running *running, const struct isolation_requirement *required,
        struct err *err)
{
    struct layer_finding findings[LAYER_COUNT];

    if (!required->any)
        return 0;
    if (isolation_look(running->base, running->executor, findings, err) < 0)
        return -1;
    return isolation_judge(required, findings, err);
}

static int
start(struct running *running, const struct run_session *session, struct err *err)
{
    struct timeval period = {.tv_usec = POLL_PERIOD_US};
    struct execution_request request = {.records = session->input->records,
                                        .record_count = session->input->count,
                                        .limits = session->limits,
                                        .on_done = on_done,
                                        .context = running};
    struct executor_options options = {
        .command = session->command,
        .slots = 1,
        .memory = {.input = session->input->bytes, .output = session->limits.output_bytes},
        .cgroups = session->required->any ? &running->cgroups : NULL,
        .most = session->limits};

    if (session->artifacts)
        options.memory.artifacts = job_memory_artifact_capacity(
            session->limits.artifacts, session->limits.artifacts_total_bytes);

    running->executor = executor_new(running->base, &options, err);
    if (running->executor == NULL || require(running, session->required, err) < 0)
        return -1;
    running->poll_event = event_new(running->base, -1, EV_PERSIST, on_poll, running);
    if (running->poll_event == NULL ||
        (running->stream && event_add(running->poll_event, &period) < 0))
        return err_set(err, ERR_SYSTEM, ENOMEM, "cannot start the loop");
    running->execution = executor_run(running->executor, &request, err);
    return running->execution != NULL ? 0 : -1;
}

int
run_session(const struct run_session *session, struct result *result, struct err *err)
{
    struct running running = {.result = result, .stream = session->stream, .cgroups = {.fd = -1}};
    int outcome = -1;

    *result = (struct result){.verdict = VERDICT_NONE};
    running.base = loop_new();
    if (running.base == NULL)
        return err_set(err, ERR_SYSTEM, ENOMEM, "cannot start the loop");
    /* Not for every run: it may take longer than the program. */
    if (session->required->any)
        cgroup_tree_open(&running.cgroups);
    if (start(&running, session, err) == 0) {
        event_base_dispatch(running.base);
        outcome = 0;
    }
    executor_free(running.executor);
    if (running.poll_event != NULL)
        event_free(running.poll_event);
    event_base_free(running.base);
    cgroup_tree_close(&running.cgroups);
    return outcome;
}
