/*
 * The member "files" of a request: [{"name": path below /work, "content": text}, ...], or
 * "content_base64" in place of "content" for what is not text.
 */
#ifndef RETORT_EXECUTE_FILES_H
#define RETORT_EXECUTE_FILES_H

#include "api/validation.h"
#include "common/config.h"
#include "common/err.h"
#include "common/job.h"

/*
 * Appends the files of the request's array (or NULL: none) to files. What is wrong with them goes
 * to validation. -1: err is set, TOO_LARGE with the name of the limit, or UNAVAILABLE.
 */
int execute_files_take(const struct json_value *value, const struct config *config,
                       struct job_files *files, struct validation *validation, struct err *err);

#endif
