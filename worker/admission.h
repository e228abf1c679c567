/* What a job may ask of this worker. */
#ifndef RETORT_ADMISSION_H
#define RETORT_ADMISSION_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/job.h"

struct job_maxima {
    size_t code_bytes;        /* a larger program is rejected */
    size_t input_bytes;       /* a larger standard input, too */
    size_t files;             /* so are more files; 0: the engine takes none */
    size_t files_bytes;       /* and larger ones, together */
    struct job_limits limits; /* a job that asks for more of any gets this much */
};

/* Lowers job's limits to the maxima. -1: REJECTED, with a sentence for the client. */
int job_admit(const struct job_maxima *maxima, struct job *job, struct err *err);

#endif
