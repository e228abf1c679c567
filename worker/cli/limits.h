/* Resource limits of a runtime's process; the rows are in limits.def. */
#ifndef RETORT_CLI_LIMITS_H
#define RETORT_CLI_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What a runtime needs beside the guest's linear memory: its compiler, compiled code, the stacks
 * of its threads. Wasmtime compiling CPython takes about 600 MiB.
 */
#define CLI_RUNTIME_DATA_BYTES (1024ull * 1024 * 1024)

/* Processes and threads of the sandbox's user: many jobs, each with a few threads a processor. */
#define CLI_RUNTIME_PROCESSES 4096

struct cli_limits {
    uint64_t cpu_us;
    uint64_t memory_bytes;
    bool own_uid; /* the user id is used by nothing else, so that its processes can be counted */
    bool trial;   /* before any job: none of these */
};

/*
 * Both lower this process's limits and allocate nothing. 0, or -1 with errno. The rows of the
 * table, for a job process before it has a job; its runtime inherits them.
 */
int cli_limits_apply_fixed(void);
/* Those of the job, for the runtime's process between fork and exec. */
int cli_limits_apply(const struct cli_limits *limits);

#endif
