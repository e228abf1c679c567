/* The one log line of a job. */
#ifndef RETORT_JOB_LOG_H
#define RETORT_JOB_LOG_H

#include "common/queue.h"

/* Id, what came of it, times, sizes; never a byte of program, input or output. */
void job_log_result(const struct queue_claim *claim, const struct result *result);

#endif
