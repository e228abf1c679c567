/* The job process of the cli engine: feeds one run of the WASI runtime and collects its output. */
#ifndef RETORT_CLI_PUMP_H
#define RETORT_CLI_PUMP_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "worker/cli/options.h"

struct pump {
    const struct cli_options *options;
    const char *home;
    bool separator;   /* see struct runtime_start */
    bool small;       /* the same */
    bool trial;       /* before any job: no limits but the caller's patience */
    pid_t supervisor; /* who forked */
    sigset_t signals; /* mask to go on with */
    int job_socket_fd;
    int job_memory_fd;
};

/* Runs in the child after fork, and ends it. */
_Noreturn void pump_run(const struct pump *pump);

#endif
