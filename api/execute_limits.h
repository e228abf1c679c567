/* The member "limits" of a request: {"cpu_ms": 100, ...}, the rows of common/job_limits.def. */
#ifndef RETORT_EXECUTE_LIMITS_H
#define RETORT_EXECUTE_LIMITS_H

#include "api/validation.h"
#include "common/job.h"

/*
 * Lowers limits, which are the server's, to what the request's object (or NULL: none) asks for;
 * more than the server allows is as much as it allows. Complains of what is no limit, not a whole
 * number, below the least, or beyond what JSON's numbers can say exactly.
 */
void execute_limits_take(const struct json_value *value, struct job_limits *limits,
                         struct validation *validation);
/*
 * One whole number above 0 at *error's place, at most *limit, to which it is lowered. error's type
 * is NULL when nothing was wrong; else it is added to validation.
 */
void execute_limits_lower(const struct json_value *value, uint32_t *limit,
                          struct validation_error *error, struct validation *validation);

#endif
