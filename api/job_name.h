/* `id` in a body: the client's own name for its job, 32 random lower-case hexadecimal digits. */
#ifndef RETORT_JOB_NAME_H
#define RETORT_JOB_NAME_H

#include "api/json.h"
#include "api/validation.h"
#include "common/job.h"

/* Fills name (JOB_ID_SIZE), or adds a complaint; value is not NULL. */
void job_name_take(const struct json_value *value, char *name, struct validation *validation);

#endif
