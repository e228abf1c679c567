/*
 * GET /readyz: whether programs really run.
 *
 * Not so while Redis is away, or no live worker serves one of the languages. Otherwise a job of
 * anybody's that has ended in a verdict within PROBE_SUCCESS_MS proves it. Without one a program of
 * ours goes through queue and worker like any job, at the head of the queue; that it failed is kept
 * for PROBE_FAILURE_MS, and requests that come while it runs share it.
 */
#ifndef RETORT_PROBE_H
#define RETORT_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/err.h"

#define PROBE_SUCCESS_MS 10000
#define PROBE_FAILURE_MS 1000
#define PROBE_TIMEOUT_MS 2000

struct exchange;
struct queue_request;

LIST_HEAD(exchange_list, exchange);

/* Zeroed: nothing known yet. */
struct probe {
    struct queue_request *request; /* NULL when none runs */
    struct exchange_list waiters;
    uint64_t ran_us;    /* a job of anybody's has ended in a verdict; 0: never */
    uint64_t failed_us; /* the last probe has failed; 0: it has not */
    bool known, ready;  /* what was logged last */
    char sentence[512]; /* why it failed */
};

void probe_ready(struct exchange *exchange);
/* A job has ended in a verdict. */
void probe_note_run(struct probe *probe);
/* Forgets who waits and cancels what runs; for the end of the process. */
void probe_fini(struct probe *probe);

#endif
