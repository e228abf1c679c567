/* The zygote of the cli engine: forks pumps, reaps them, reports. See zygote_protocol.h. */
#ifndef RETORT_CLI_SUPERVISOR_H
#define RETORT_CLI_SUPERVISOR_H

#include "common/err.h"
#include "worker/cli/options.h"

/*
 * Speaks the zygote protocol on control_fd until it is closed by the other end or SIGTERM comes,
 * then kills every job and returns 0. home is the runtime's private directory. Runs the module
 * once before it says READY. -1: it cannot go on; err says why.
 */
int supervisor_run(const struct cli_options *options, const char *home, int control_fd,
                   struct err *err);

#endif
