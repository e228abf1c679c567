/*
 * Jobs and results as msgpack. codec_*.c are the only ones that know msgpack-c.
 *
 * Queue element, version 1: array [version, start_by_ms, answer_by_ms, id, job-map]. The job-map is
 * packed by the API; the first four are put before it by the submit script, in Redis's clock.
 * Results: map with "v". Decoders check every length before they allocate, ignore unknown fields,
 * refuse missing ones and any version that they do not know. docs/PROTOCOL.md has the fields.
 */
#ifndef RETORT_CODEC_H
#define RETORT_CODEC_H

#include "common/err.h"
#include "common/job.h"

#define CODEC_VERSION            1
/* Of a blob with files, which a worker that knows nothing of files must not run without them. */
#define CODEC_BLOB_VERSION_FILES 2
/* The same of arguments and environment variables. */
#define CODEC_BLOB_VERSION_TEXTS 3

/*
 * Packs the job-map. with_input false leaves out code and input, which then travel as a blob, as
 * they must when there are files, arguments or environment variables.
 */
int codec_pack_job(const struct job *job, bool with_input, struct bytes *out, struct err *err);
/* Code, input, files, arguments and environment as one blob; and back into job. */
int codec_pack_blob(const struct job *job, struct bytes *out, struct err *err);
int codec_unpack_blob(const void *data, size_t size, struct job *job, struct err *err);
/* Unpacks a whole list element. *has_input tells whether code and input were in it. */
int codec_unpack_element(const void *data, size_t size, struct job *job, bool *has_input,
                         struct err *err);
int codec_pack_result(const struct result *result, struct bytes *out, struct err *err);
int codec_unpack_result(const void *data, size_t size, struct result *result, struct err *err);

/* What stands in the dead-letter list: an element that could not be used, and why. */
struct codec_letter {
    int64_t time_ms; /* Redis's clock, since the epoch */
    char worker[JOB_WORKER_SIZE];
    char reason[256];
    struct bytes element; /* owned: bytes_fini() */
};
/* -1: it is none; older scripts put the bare element there. */
int codec_unpack_letter(const void *data, size_t size, struct codec_letter *letter,
                        struct err *err);

#endif
