/* Parts of a result that answers of several surfaces have in the same words. */
#ifndef RETORT_RESULT_JSON_H
#define RETORT_RESULT_JSON_H

#include "api/buffer.h"
#include "common/job.h"

/* The member name: the exit code, or null of a program that did not exit by itself. */
void result_put_exit_code(struct buffer *out, const char *name, const struct result *result);
/* The member "artifacts_refused": names, sizes and reasons of those that are listed. */
void result_put_refused(struct buffer *out, const struct artifacts *artifacts);

#endif
