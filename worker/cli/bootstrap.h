/* The Python program given to `-c`; see worker/guest/python/bootstrap/cli.py. */
#ifndef RETORT_CLI_BOOTSTRAP_H
#define RETORT_CLI_BOOTSTRAP_H

/* Its text, NUL-terminated. Static. */
extern const char cli_bootstrap[];

#endif
