/*
 * The output of one running job, told to the queue as it grows (common/queue_events.h).
 *
 *     live_output_begin(&live, base, queue, &claim, execution)      when the job was given away
 *     live_output_end(&live, &result)                               after its result was published
 *     live_output_fini(&live)
 *
 * The output lies in memory that the worker shares with the job process, so looking costs the job
 * nothing. A job that has ended by the first look has no events at all: its result says it all.
 */
#ifndef RETORT_LIVE_OUTPUT_H
#define RETORT_LIVE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "common/queue_events.h"
#include "worker/executor.h"

struct live_output {
    struct event *timer; /* NULL: nothing is told of this job */
    struct queue_worker *queue;
    const struct queue_claim *claim;
    struct execution *execution;
    uint64_t told[2]; /* bytes of each stream */
    bool started;     /* its start was told */
};

/*
 * Borrows all. Without memory for a timer nothing is told. live is zeroed, and stays where it is.
 */
void live_output_begin(struct live_output *live, struct event_base *base,
                       struct queue_worker *queue, const struct queue_claim *claim,
                       struct execution *execution);
/* The execution is over: tells what is left of result's output, and that it is all. */
void live_output_end(struct live_output *live, const struct result *result);
/* Zeroed is nothing. */
void live_output_fini(struct live_output *live);

#endif
