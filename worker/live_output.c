#include "worker/live_output.h"

#include <string.h>

#include "common/utf8.h"

#define LOOK_US 50000

/* Tells what data has beyond what was told, in pieces that split no character, at most `most`. */
static void
tell_growth(struct live_output *live, int stream, const char *data, size_t size, unsigned most)
{
    while (most-- > 0 && live->told[stream] < size) {
        struct queue_output output = {.stream = stream,
                                      .offset = live->told[stream],
                                      .data = data + live->told[stream],
                                      .size = size - live->told[stream]};
        if (output.size > QUEUE_EVENT_BYTES)
            output.size = utf8_cut(output.data, QUEUE_EVENT_BYTES);
        if (queue_worker_tell_output(live->queue, live->claim, &output) < 0)
            return;
        live->told[stream] += output.size;
    }
}

static void
on_look(evutil_socket_t fd, short events, void *context)
{
    struct live_output *live = context;

    (void)fd;
    (void)events;
    if (!live->started)
        live->started = queue_worker_tell_start(live->queue, live->claim) == 0;
    for (int stream = 0; live->started && stream < 2; stream++) {
        size_t size;
        const char *data = execution_output(live->execution, stream, &size);
        tell_growth(live, stream, data, utf8_cut(data, size), 1);
    }
}

void
live_output_begin(struct live_output *live, struct event_base *base, struct queue_worker *queue,
                  const struct queue_claim *claim, struct execution *execution)
{
    const struct timeval interval = {.tv_usec = LOOK_US};

    live->queue = queue;
    live->claim = claim;
    live->execution = execution;
    live->timer = event_new(base, -1, EV_PERSIST, on_look, live);
    if (live->timer && event_add(live->timer, &interval) < 0)
        live_output_fini(live);
}

void
live_output_end(struct live_output *live, const struct result *result)
{
    const struct result_stream *const streams[] = {&result->out, &result->err};

    if (!live->timer || !live->started)
        return;
    (void)event_del(live->timer);
    for (int stream = 0; stream < 2; stream++)
        tell_growth(live, stream, streams[stream]->kept.data, streams[stream]->kept.size, ~0u);
    (void)queue_worker_tell_end(live->queue, live->claim);
}

void
live_output_fini(struct live_output *live)
{
    if (live->timer)
        event_free(live->timer);
    live->timer = NULL;
}
