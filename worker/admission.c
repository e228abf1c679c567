#include "worker/admission.h"

#include <inttypes.h>

static int
lower_limits(const struct job_limits *maxima, struct job_limits *limits, struct err *err)
{
#define JOB_LIMIT(field, since, least, most, meaning)                                              \
    if (limits->field == 0)                                                                        \
        return err_set(err, ERR_REJECTED, 0, "The job's limit %s is 0; the least is 1.", #field);  \
    if (limits->field > maxima->field)                                                             \
        limits->field = maxima->field;
#include "common/job_limits.def"
#undef JOB_LIMIT
    return 0;
}

static int
check_files(const struct job_maxima *maxima, const struct job_files *files, struct err *err)
{
    uint64_t bytes = job_files_bytes(files);

    if (files->count > 0 && maxima->files == 0)
        return err_set(err, ERR_REJECTED, 0, "The engine of this worker takes no files.");
    if (files->count > maxima->files)
        return err_set(err, ERR_REJECTED, 0,
                       "There are %zu files; this worker takes %zu (MAX_FILES).", files->count,
                       maxima->files);
    if (bytes > maxima->files_bytes)
        return err_set(err, ERR_REJECTED, 0,
                       "The files have %" PRIu64 " bytes; this worker takes %zu "
                       "(MAX_FILES_BYTES).",
                       bytes, maxima->files_bytes);
    return 0;
}

int
job_admit(const struct job_maxima *maxima, struct job *job, struct err *err)
{
    if (job->code.size > maxima->code_bytes)
        return err_set(err, ERR_REJECTED, 0,
                       "The program has %zu bytes; this worker takes %zu (MAX_CODE_BYTES).",
                       job->code.size, maxima->code_bytes);
    if (job->input.size > maxima->input_bytes)
        return err_set(err, ERR_REJECTED, 0,
                       "The standard input has %zu bytes; this worker takes %zu "
                       "(MAX_STDIN_BYTES).",
                       job->input.size, maxima->input_bytes);
    if (check_files(maxima, &job->files, err) < 0)
        return -1;
    return lower_limits(&maxima->limits, &job->limits, err);
}
