/* Resource limits of a runtime's process; the rows are in limits.def. */
#ifndef RETORT_CLI_LIMITS_H
#define RETORT_CLI_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct cli_limits {
    uint64_t cpu_us;
    uint64_t memory_bytes;
    bool own_uid; /* the user id is used by nothing else, so that its processes can be counted */
    bool trial;   /* before any job: the runtime may fill its cache */
};

/*
 * Lowers this process's limits. Called between fork and exec: no allocation. 0, or -1 with errno.
 */
int cli_limits_apply(const struct cli_limits *limits);

#endif
