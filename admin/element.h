/* What of a queue's element is of use to somebody who looks: its id, its language, its size. */
#ifndef RETORT_ELEMENT_H
#define RETORT_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/job.h"

/* id[JOB_ID_SIZE]; false, and "", when it is none of ours. */
bool element_id(const char *data, size_t size, char *id);

/* 32 lower-case hexadecimal digits. */
bool element_is_id(const char *text);

#endif
