/* What retort-run prints about a result, and the exit code that it makes of it. */
#ifndef RETORT_RUN_REPORT_H
#define RETORT_RUN_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "common/err.h"
#include "common/job.h"

enum run_exit_code {
    RUN_EXIT_USAGE = 2,
    RUN_EXIT_TIMEOUT = 124,
    RUN_EXIT_SANDBOX = 125,
    RUN_EXIT_MEMORY = 137,
    RUN_EXIT_SIGNAL = 128, /* plus the signal's number */
};

int run_exit_code(const struct result *result);
/* One sentence if the program did not simply exit, one more for each stream that was cut. */
void run_report_text(const struct result *result, FILE *out);
/* The whole result as one JSON object; contents of artifacts only if wanted. */
int run_report_json(const struct result *result, bool contents, FILE *out, struct err *err);

#endif
