/*
 * How retort-cli-zygote was started:
 *
 *     retort-cli-zygote --zygote --runtime NAME [--runtime-args "A B"] --module FILE
 *                       [--no-isolated] [--uid N]
 */
#ifndef RETORT_CLI_OPTIONS_H
#define RETORT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

/* In a runtime argument: replaced by the job's memory limit in bytes. */
#define CLI_MEMORY_PLACEHOLDER "{memory_bytes}"

struct cli_options {
    char *runtime;             /* as given; a path after cli_options_resolve() */
    char **runtime_args;       /* NULL-terminated; put after `run` */
    size_t runtime_args_count; /* without the NULL */
    char *module;              /* path of the .wasm */
    bool isolated;             /* pass -I to Python */
    uid_t uid;                 /* to become when started as root; 0: stay */
};

/* Reads the command line. Owns what it points to: cli_options_fini(). */
int cli_options_parse(struct cli_options *options, int argc, char **argv, struct err *err);
/*
 * Finds the runtime in PATH and checks that this process may execute it and read the module, so
 * call it after privileges were dropped.
 */
int cli_options_resolve(struct cli_options *options, struct err *err);
void cli_options_fini(struct cli_options *options);

#endif
