/* What a job gets from the host: copies of files, arguments and standard input, as records. */
#ifndef RETORT_RUN_INPUT_H
#define RETORT_RUN_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "worker/executor.h"

/* All of it together; it lies in memory twice while the job starts. */
#define RUN_INPUT_MAX_BYTES (256u << 20)

struct run_input {
    struct execution_record *records; /* owned, with the names and data that they point to */
    size_t count, capacity;
    size_t bytes; /* that the records take in the job's memory */
};

void run_input_init(struct run_input *input);
void run_input_fini(struct run_input *input);

/* Copies name (may be NULL) and data. */
int run_input_add(struct run_input *input, enum job_record_type type, const char *name,
                  const void *data, size_t size, struct err *err);
/* The contents of a file, or of standard input ("-"). */
int run_input_add_file(struct run_input *input, enum job_record_type type, const char *name,
                       const char *path, struct err *err);
/*
 * A host directory below a guest path. Symbolic links are never followed; they and everything
 * that is neither file nor directory are left out.
 */
int run_input_add_directory(struct run_input *input, const char *path, const char *guest,
                            struct err *err);

#endif
