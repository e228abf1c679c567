#include "worker/admission.h"

static void
at_most(uint32_t *value, uint32_t maximum)
{
    if (*value > maximum)
        *value = maximum;
}

int
job_admit(const struct job_maxima *maxima, struct job *job, struct err *err)
{
    struct job_limits *limits = &job->limits;

    if (job->code.size > maxima->code_bytes)
        return err_set(err, ERR_REJECTED, 0,
                       "The program has %zu bytes; this worker takes %zu (MAX_CODE_BYTES).",
                       job->code.size, maxima->code_bytes);
    if (job->input.size > maxima->input_bytes)
        return err_set(err, ERR_REJECTED, 0,
                       "The standard input has %zu bytes; this worker takes %zu "
                       "(MAX_STDIN_BYTES).",
                       job->input.size, maxima->input_bytes);
    if (!limits->timeout_ms || !limits->cpu_ms || !limits->memory_mb || !limits->output_bytes)
        return err_set(err, ERR_REJECTED, 0, "A limit of the job is 0; the least is 1.");
    at_most(&limits->timeout_ms, maxima->timeout_ms);
    at_most(&limits->memory_mb, maxima->memory_mb);
    at_most(&limits->output_bytes, maxima->output_bytes);
    return 0;
}
