/*
 * The body of POST /v1/execute: {"code": string, "stdin"?: string or null, "timeout_ms"?: int,
 * "limits"?: object or null, "files"?: array or null}.
 */
#ifndef RETORT_EXECUTE_REQUEST_H
#define RETORT_EXECUTE_REQUEST_H

#include "api/validation.h"
#include "common/config.h"
#include "common/err.h"
#include "common/job.h"

/*
 * Fills id (the client's own name for it, or ""), language, code, input, files and limits of job
 * (zeroed before; job_fini() afterwards, whatever comes of it). -1: validation->count tells what is
 * wrong with the body, or, when it is 0, err does (TOO_LARGE with the name of the limit, SYSTEM).
 */
int execute_request_parse(const struct buffer *body, const struct config *config, struct job *job,
                          struct validation *validation, struct err *err);

#endif
