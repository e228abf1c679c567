/*
 * A private directory that lives as long as the zygote: HOME and TMPDIR of the runtime, where
 * Wasmtime keeps its cache of compiled code. Filled by the trial run, not by jobs.
 */
#ifndef RETORT_CLI_HOME_H
#define RETORT_CLI_HOME_H

#include "common/err.h"

struct cli_home {
    char *path;  /* NULL when removed */
    int lock_fd; /* of the file "lock" in it, held as long as the directory is in use */
};

/*
 * Makes one below TMPDIR or /tmp, mode 0700, and removes those of the same user whose zygote was
 * killed before it could. The caller frees it with cli_home_remove().
 */
int cli_home_make(struct cli_home *home, struct err *err);
/* Removes the directory with all that is in it. */
void cli_home_remove(struct cli_home *home);

#endif
