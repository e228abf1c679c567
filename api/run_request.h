/*
 * Bodies of POST /v1/runs:
 *
 *     {"language", "code", "stdin", "args", "env", "files": [{"file_id", "path"}], "limits",
 * "wait", "metadata"}
 */
#ifndef RETORT_RUN_REQUEST_H
#define RETORT_RUN_REQUEST_H

#include <stdbool.h>

#include "api/app.h"
#include "api/run_files.h"
#include "api/validation.h"

#define RUN_METADATA_MOST 16 /* members */

struct run_request {
    struct job job;         /* without id, its files without contents; owned */
    struct run_files files; /* where these are; owned */
    struct buffer metadata; /* JSON; owned */
    bool wait;
};

/* -1: validation has complaints, or err is set. run_request_fini() in any case. */
int run_request_parse(const struct buffer *body, const struct app *app, struct run_request *request,
                      struct validation *validation, struct err *err);
void run_request_fini(struct run_request *request);

#endif
