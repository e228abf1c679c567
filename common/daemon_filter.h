/* What the daemons take from themselves when they start; the rows of daemon_calls.def are left. */
#ifndef RETORT_DAEMON_FILTER_H
#define RETORT_DAEMON_FILTER_H

#include <stdbool.h>

#include "common/err.h"

enum daemon_program { DAEMON_API = 1, DAEMON_WORKER = 2, DAEMON_RUNTIME = 4 };

/*
 * For this process and all that it starts, for good: calls without a row fail with ENOSYS, and no
 * program gives privileges. The worker's filter has the rows of what it starts, too. This process
 * leaves no core and cannot be looked into by others of its user (not so a RUNTIME, which is
 * another program soon). -1: there is no filter, where the kernel has no seccomp.
 */
int daemon_lock_down(enum daemon_program program, struct err *err);
/* Does a filter of ours hold in this process? Tried, by a call that no row allows. */
bool daemon_filter_holds(void);

#endif
