/*
 * GET /readyz: whether programs really run, found out by running one.
 *
 * The probe goes through queue and worker like any job, at the head of the queue. Its outcome is
 * kept for PROBE_SUCCESS_MS or PROBE_FAILURE_MS; requests that come while one runs share it.
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
    uint64_t started_us;
    uint64_t ended_us; /* 0: never */
    bool ready;        /* outcome of the last one */
    char sentence[512];
};

void probe_ready(struct exchange *exchange);
/* Forgets who waits and cancels what runs; for the end of the process. */
void probe_fini(struct probe *probe);

#endif
