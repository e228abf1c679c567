/* Kernel limits of the zygote and of job processes: the rows of rlimits.def. */
#ifndef RETORT_SANDBOX_LIMITS_H
#define RETORT_SANDBOX_LIMITS_H

#include <stdint.h>

#include "common/err.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif

#define SANDBOX_STACK_BYTES      (UINT64_C(64) << 20)
/* Beside linear memory and the guest's files: the program's own data, its heap. */
#define SANDBOX_HOST_DATA_BYTES  (UINT64_C(64) << 20)
/* Beside the reservations and the shared memory: program, libraries, tree, stack, heap. */
#define SANDBOX_HOST_SPACE_BYTES (UINT64_C(2) << 30)

/* Jobs give way to those who start and stop them: how nice they are. */
#define SANDBOX_NICE 5

enum rlimit_stage { RLIMIT_STAGE_ZYGOTE, RLIMIT_STAGE_WARM, RLIMIT_STAGE_JOB };

/* What the rows of stage JOB are computed from. */
struct job_rlimits {
    uint64_t cpu_limit_us;
    uint64_t memory_limit_bytes;
    uint64_t files_bytes;  /* that the guest's files may take of writable memory */
    uint64_t mapped_bytes; /* the reservations for both, and the memory shared with the worker */
};

/* Sets the rows of that stage. job may be NULL in other stages than JOB. Safe after fork. */
int limits_apply(enum rlimit_stage stage, const struct job_rlimits *job, struct err *err);
/* The priority of this process from here on, for good. */
void limits_give_way(void);
/*
 * The exact CPU timer: SIGPROF, whose default action kills. A fork does not inherit it, so each job
 * process makes its own, before its filter, and starts it when its limit is known.
 */
int limits_make_cpu_timer(struct err *err);
int limits_start_cpu_timer(uint64_t cpu_limit_us, struct err *err);
/* What the host does after the program's end is not charged to it; RLIMIT_CPU stays. */
void limits_stop_cpu_timer(void);

#endif
