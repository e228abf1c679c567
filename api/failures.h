/*
 * The last jobs that did not end well: for people who look at the fleet. Like the metrics they are
 * in one mapping that all API processes of a host share, and name nothing of a client's.
 */
#ifndef RETORT_FAILURES_H
#define RETORT_FAILURES_H

#include "common/err.h"
#include "common/job.h"
#include "common/verdict.h"

#define FAILURES_KEPT 32

struct failure {
    uint64_t time_ms;  /* since the epoch */
    unsigned language; /* metrics_language() */
    unsigned outcome;  /* metrics_outcome() */
    uint64_t queue_us, exec_us;
};

/* Makes the mapping, before any fork. -1: no memory. Once more is harmless. */
int failures_init(struct err *err);
/* What request_metrics_job() is told; programs that exited, and cancelled jobs, are none. */
void failures_note(unsigned language, const struct result *result, const struct err *err,
                   uint64_t total_us);
/* Copies the last ones, newest first; returns how many. */
size_t failures_list(struct failure list[FAILURES_KEPT]);

#endif
