/* Whether the runtime can run the module at all, found out before any job depends on it. */
#ifndef RETORT_CLI_TRIAL_H
#define RETORT_CLI_TRIAL_H

#include "common/err.h"
#include "worker/cli/pump.h"

/*
 * Runs an empty program to its end, which also fills the runtime's cache of compiled code. -1:
 * err says in the runtime's own words why it failed. Gives up when control_fd is closed by the
 * other end. SIGCHLD and SIGTERM must be blocked; descriptors of template are not used.
 */
int trial_run(const struct pump *template, int control_fd, struct err *err);

#endif
