/* The zygote's start: from a locked-down process to a guest at its fork point. */
#ifndef RETORT_SANDBOX_BOOT_H
#define RETORT_SANDBOX_BOOT_H

#include <stdint.h>

#include "worker/sandbox/options.h"

/*
 * Loads the module, starts it and serves at its fork point. What goes wrong before is told to the
 * worker. started_us: when the program was started, by the monotonic clock. Job processes come by
 * here too, on their way out of the guest.
 */
_Noreturn void boot_run(const struct sandbox_options *options, uint64_t started_us);

#endif
