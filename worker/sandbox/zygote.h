/* The zygote at its fork point: forks job processes on request. */
#ifndef RETORT_SANDBOX_ZYGOTE_H
#define RETORT_SANDBOX_ZYGOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct zygote_start {
    uint64_t started_us;          /* when the program was started, by the monotonic clock */
    bool guest_starts_after_fork; /* its arguments are then the job's */
    const char *rehearsal;        /* a program to learn from before READY, or NULL */
};

/* Once, before the other two. */
void zygote_init(const struct zygote_start *start);
/* Says READY and serves the worker. Returns in job processes only, when their job is there. */
void zygote_serve(void);
/* Tells the worker that this zygote cannot go on, and ends it. */
_Noreturn void zygote_fail(const struct err *err);

#endif
