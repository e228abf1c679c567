/* What the daemons take from themselves when they start; the rows of daemon_calls.def are left. */
#ifndef RETORT_DAEMON_FILTER_H
#define RETORT_DAEMON_FILTER_H

#include <stdbool.h>

#include "common/err.h"

enum daemon_program {
    DAEMON_API = 1,
    DAEMON_WORKER = 2,
    DAEMON_RUNTIME = 4,
    DAEMON_SUPERVISOR = 8, /* of API processes, which take on a filter without it */
};

/*
 * For this process and all that it starts, for good: calls without a row for one of programs (enum
 * daemon_program, ored) fail with ENOSYS, and no program gives privileges. A worker that starts
 * WASI runtimes is both, and so is the parent of API processes. A refused call is in the kernel's
 * log, unless RUNTIME is among programs. This process leaves no core and cannot be looked into by
 * others of its user (not so if it is a RUNTIME only, which is another program soon). -1: there is
 * no filter, where the kernel has no seccomp.
 */
int daemon_lock_down(unsigned programs, struct err *err);
/* Does a filter of ours hold in this process? Tried, by a call that no row allows. */
bool daemon_filter_holds(void);

#endif
