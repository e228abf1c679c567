/* The program's output, into the memory shared with the worker, bounded at the source. */
#ifndef RETORT_SANDBOX_OUTPUT_H
#define RETORT_SANDBOX_OUTPUT_H

#include <stddef.h>

#include "worker/job_memory.h"

/* Brings in the pages that every job writes first. Ahead of output_begin(). */
void output_touch(struct job_memory_header *shared);
/* From here on output goes to that memory, up to its output_limit_bytes a stream. */
void output_begin(struct job_memory_header *shared);
/* Keeps what fits, counts all. stream 0 or 1. Makes no system call. */
void output_write(int stream, const void *data, size_t size);

#endif
