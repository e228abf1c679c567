/*
 * What a running job has written so far, in the stream <prefix>events:<id>, for whoever wants to
 * follow it. Only jobs that ask for it (job.events) and run for longer than a moment have one.
 * docs/PROTOCOL.md has the entries.
 *
 * It is told in passing: what cannot be told now is not kept. The result has all of it.
 */
#ifndef RETORT_QUEUE_EVENTS_H
#define RETORT_QUEUE_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/queue.h"

/* Bytes of output in one entry. */
#define QUEUE_EVENT_BYTES 65536

/* The program was started. -1: not told; the same may be tried again. Likewise below. */
int queue_worker_tell_start(struct queue_worker *worker, const struct queue_claim *claim);
/* stream 0 or 1; data is at most QUEUE_EVENT_BYTES, which stand at offset of that stream. */
struct queue_output {
    int stream;
    uint64_t offset;
    const char *data;
    size_t size;
};
int queue_worker_tell_output(struct queue_worker *worker, const struct queue_claim *claim,
                             const struct queue_output *output);
/* There comes nothing more; to be called after the result is under way. */
int queue_worker_tell_end(struct queue_worker *worker, const struct queue_claim *claim);

#endif
