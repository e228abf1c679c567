/* The answer of POST /v1/execute. */
#ifndef RETORT_EXECUTE_RESPONSE_H
#define RETORT_EXECUTE_RESPONSE_H

#include "api/buffer.h"
#include "common/job.h"

/*
 * id: what the client calls the job. Appends a result whose error is ERR_NONE as JSON. stdout,
 * stderr, exit_code, timed_out and duration_ms are the contract; the rest is ours and may grow.
 */
void execute_response_put(const struct result *result, const char *id, uint64_t total_us,
                          struct buffer *out);

#endif
