/* One process of the WASI runtime: its arguments, its start, its pipes. */
#ifndef RETORT_CLI_RUNTIME_H
#define RETORT_CLI_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"
#include "worker/cli/limits.h"
#include "worker/cli/options.h"

struct runtime_start {
    const struct cli_options *options;
    const char *home; /* HOME and TMPDIR */
    /*
     * Put `--` between module and arguments. Runtimes differ: some take it as theirs, some (among
     * them Wasmtime since 14) hand it on to the guest.
     */
    bool separator;
    bool small;              /* the small bootstrap: not CPython */
    const char *const *args; /* the program's own, NULL-terminated */
    struct cli_limits limits;
};

struct runtime {
    pid_t pid;
    int pidfd;        /* readable once it has ended */
    int input_fd;     /* to write its standard input to; -1 when closed */
    int output_fd[2]; /* to read its standard output and standard error from; -1 when closed */
};

/*
 * `RUNTIME run ARGS MODULE [--] [-I] -c BOOTSTRAP PROGRAM-ARGS`, as a NULL-terminated list.
 * Caller frees with runtime_argv_free(). NULL when out of memory.
 */
char **runtime_argv(const struct runtime_start *start);
void runtime_argv_free(char **argv);

/*
 * Starts it in this process group, to die with this process. Returns when it has been exec'd.
 * All three descriptors are non-blocking. -1: not started, nothing to free.
 */
int runtime_spawn(const struct runtime_start *start, struct runtime *runtime, struct err *err);

#endif
