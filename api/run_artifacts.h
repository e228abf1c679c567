/*
 * The artifacts of a run: as they are kept with its record, and as they are shown, which is with
 * links that are made anew each time.
 */
#ifndef RETORT_RUN_ARTIFACTS_H
#define RETORT_RUN_ARTIFACTS_H

#include <stddef.h>

#include "api/artifact_store.h"
#include "api/buffer.h"
#include "common/artifact.h"

/*
 * Appends the elements of a JSON array, as run_artifacts_put() reads them: of artifacts that are
 * stored nowhere; and of those that are, by what the store says of each.
 */
void run_artifacts_keep(const struct artifacts *artifacts, struct buffer *kept);
struct run_artifact;
void run_artifacts_keep_stored(const struct run_artifact *artifacts,
                               const struct stored_artifact *list, size_t count,
                               struct buffer *kept);
/* Names, sizes and hashes, for the second. NULL: no memory. */
struct run_artifact *run_artifacts_list(const struct artifacts *artifacts);
void run_artifacts_free(struct run_artifact *list);
/*
 * Appends the elements as clients see them, with links for exchange. contents: of the same
 * artifacts, or NULL; they are shown with those that are stored nowhere.
 */
void run_artifacts_put(const struct exchange *exchange, const char *kept, size_t kept_size,
                       const struct artifacts *contents, struct buffer *out);

#endif
