/*
 * The run object of the runs API, as JSON.
 *
 * One that has its end is three pieces, since links to its artifacts are made anew each time that
 * it is shown: `before`, which ends in "artifacts":[, the list's elements, and `after`.
 */
#ifndef RETORT_RUN_OBJECT_H
#define RETORT_RUN_OBJECT_H

#include <stdint.h>

#include "api/buffer.h"
#include "common/err.h"
#include "common/job.h"

#define RUN_ID_PREFIX  "run_"
#define RUN_ID_SIZE    (sizeof(RUN_ID_PREFIX) - 1 + JOB_ID_SIZE)
#define RUN_OWNER_SIZE 65

/* What is known of a run from its beginning. All borrowed. */
struct run_facts {
    const char *id;       /* "run_" and the id of its job */
    const char *language; /* valid UTF-8; likewise: */
    const char *metadata; /* JSON */
    size_t metadata_size;
    int64_t created_ms; /* since the epoch */
};

struct run_text {
    struct buffer before, artifacts, after;
};

/*
 * The pieces of a run that has ended, without artifacts: whoever keeps those fills it in. result
 * may have an error of ours.
 */
void run_object_end(struct run_text *text, const struct run_facts *facts,
                    const struct result *result);
void run_text_fini(struct run_text *text);

/* Of one that has not: queued, or running since started_us (since the epoch; 0: not). */
void run_object_put_open(struct buffer *out, const struct run_facts *facts, uint64_t started_us);
/* Whether id is "run_" and 32 lower-case hexadecimal digits. */
bool run_id_is_good(const char *id);

#endif
