/*
 * What became of a job, from how its process ended: pure, no system call.
 *
 * The kernel's word (status, CPU time) and the worker's own knowledge (did it kill?) decide; the
 * notes in the shared memory, which are the job process's word, only choose between verdicts that
 * are all the program's own doing.
 */
#ifndef RETORT_VERDICT_OF_H
#define RETORT_VERDICT_OF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/job.h"

/* Why the worker sent SIGKILL. */
enum kill_reason { KILL_NONE = 0, KILL_TIMEOUT, KILL_CANCELLED };

struct ending {
    int status; /* as wait4() gives it */
    enum kill_reason killed;
    bool out_of_memory; /* nobody here sent SIGKILL, but the kernel did, for want of memory */
    uint64_t cpu_us, cpu_limit_us;
    uint32_t timeout_ms; /* the limit, for the sentence */
    /* The notes; untrusted. */
    uint32_t note, trap, exit_code;
    uint32_t denied_call; /* number plus 1; 0: it does not say */
    bool memory_refused, memory_fatal;
    const char *text; /* NUL-terminated */
};

/* Sets error, verdict, detail, exit_code and term_signal of result. */
void verdict_of(const struct ending *ending, struct result *result);

#endif
