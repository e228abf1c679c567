/* The members "args" and "env" of a request. What is wrong with them goes to validation. */
#ifndef RETORT_RUN_TEXTS_H
#define RETORT_RUN_TEXTS_H

#include "api/validation.h"
#include "common/err.h"
#include "common/job.h"

/* value: the member, or NULL. -1: err is set. */
int run_texts_take_args(const struct json_value *value, struct texts *args,
                        struct validation *validation, struct err *err);
/*
 * Names are letters, digits and _, not beginning with a digit, and not with PYTHON, whatever the
 * case: those variables are instructions to the interpreter.
 */
int run_texts_take_env(const struct json_value *value, struct texts *env,
                       struct validation *validation, struct err *err);

#endif
