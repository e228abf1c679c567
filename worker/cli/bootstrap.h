/*
 * The Python programs given to `-c`: worker/guest/python/bootstrap/cli.py, and worker/cli/small.py
 * for interpreters that cannot run it.
 */
#ifndef RETORT_CLI_BOOTSTRAP_H
#define RETORT_CLI_BOOTSTRAP_H

/* Their texts, NUL-terminated. Static. */
extern const char cli_bootstrap[];
extern const char cli_bootstrap_small[];

#endif
