/* Whether the runtime can run the module at all, found out before any job depends on it. */
#ifndef RETORT_CLI_TRIAL_H
#define RETORT_CLI_TRIAL_H

#include "common/err.h"
#include "worker/cli/pump.h"

/*
 * Runs a small program to its end, which also fills the runtime's cache of compiled code, and
 * sets pump->separator and pump->small to the form that worked. -1: err says in the runtime's own
 * words why none did. Gives up when control_fd is closed by the other end. SIGCHLD and SIGTERM must
 * be blocked; pump's descriptors are not used.
 */
int trial_run(struct pump *pump, int control_fd, struct err *err);

#endif
