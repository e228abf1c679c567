/* `retort-worker --check`: which layers of isolation are in force around a job process. */
#ifndef RETORT_CHECK_H
#define RETORT_CHECK_H

#include <stdio.h>

#include "common/config.h"
#include "common/err.h"

/*
 * Starts the zygote of each language that the settings choose, looks at a job process that waits,
 * and prints a table. Blocks until that process is there. 0, also when layers are off; -1: no job
 * can run, or a layer is off that is required.
 */
int check_print(const struct config *config, FILE *out, struct err *err);

#endif
