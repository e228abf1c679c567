/* The job's input as the guest sees it: arguments, environment, files. */
#ifndef RETORT_WASI_JOB_H
#define RETORT_WASI_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/wasi/state.h"

/* What the job's devices yield: each argument, or variable, and a NUL, from offset on. */
size_t job_read_strings(uint32_t type, uint64_t offset, char *buffer, size_t size);

/* Arguments or environment variables, one after the other. */
struct job_strings {
    const char *const *next; /* of the configuration, or NULL: records of that type */
    uint32_t type;           /* enum job_record_type */
    uint64_t cursor;
};
struct job_strings job_arguments(void);
struct job_strings job_environment(void);
/* False at the end. The text is not NUL-terminated. */
bool job_next_string(struct job_strings *strings, const char **text, size_t *text_bytes);

#endif
