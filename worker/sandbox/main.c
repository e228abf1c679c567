/*
 * An image's native program. The worker starts it; zygote_protocol.h has the command line, the
 * descriptors and the messages. This file is linked with one module's generated code.
 *
 *     worker ──exec──▶ stage.h, main: lockdown, limits, filter ──▶ boot.c, zygote.c: load, boot,
 * serve └─fork─▶ job.c: one job, then exit
 */
#include <stdio.h>

#include "common/clock.h"
#include "worker/sandbox/boot.h"
#include "worker/sandbox/denied_call.h"
#include "worker/sandbox/filter.h"
#include "worker/sandbox/limits.h"
#include "worker/sandbox/lockdown.h"
#include "worker/sandbox/options.h"
#include "worker/sandbox/zygote.h"

int
main(int argc, char **argv)
{
    uint64_t started_us = clock_monotonic_us();
    struct sandbox_options options;
    struct err err = ERR_INIT;

    if (sandbox_options_parse(&options, argc, argv, &err) < 0) {
        fprintf(stderr, "%s: %s\n", argc > 0 ? argv[0] : "image", err.text);
        return 2;
    }
    if (lockdown_zygote(&err) < 0)
        zygote_fail(&err);
    if (limits_apply(RLIMIT_STAGE_ZYGOTE, NULL, &err) < 0)
        zygote_fail(&err);
    /* Before the module is loaded: building it allocates, and a booted heap stays as it is. */
    if (filter_build(&err) < 0 || denied_call_watch(&err) < 0)
        zygote_fail(&err);
    boot_run(&options, started_us);
}
