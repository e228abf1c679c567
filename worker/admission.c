#include "worker/admission.h"

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
    return lower_limits(&maxima->limits, &job->limits, err);
}
