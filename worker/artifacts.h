/* What a job process left as artifacts, read from the memory shared with it. */
#ifndef RETORT_ARTIFACTS_H
#define RETORT_ARTIFACTS_H

#include "common/job.h"
#include "worker/job_memory.h"

/*
 * Copies them to *out (overwritten; artifacts_fini()) once the process is gone. Nothing is
 * believed: names and the job's limits are checked again, and records that are none, which no
 * process of ours writes, mean no artifacts at all. -1: out of memory.
 */
int artifacts_read(const struct job_memory *memory, const struct job_limits *limits,
                   struct artifacts *out);

#endif
