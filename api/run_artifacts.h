/*
 * The artifacts of a run: as they are kept with its record, and as they are shown, which is with
 * links that are made anew each time.
 */
#ifndef RETORT_RUN_ARTIFACTS_H
#define RETORT_RUN_ARTIFACTS_H

#include <stddef.h>

#include "api/buffer.h"
#include "common/artifact.h"

struct app;

/* Appends the elements of a JSON array, as run_artifacts_put() reads them. Nothing: of none. */
void run_artifacts_keep(struct app *app, const char *owner, const char *run_id,
                        const struct artifacts *artifacts, struct buffer *kept);
/*
 * Appends the elements as clients see them. contents: of the same artifacts, or NULL; they are
 * shown with those that are kept nowhere.
 */
void run_artifacts_put(const struct app *app, const char *kept, size_t kept_size,
                       const struct artifacts *contents, struct buffer *out);

#endif
