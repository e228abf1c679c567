#include "worker/sandbox/filter.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "worker/sandbox/filter_internal.h"
#include "worker/sandbox/limits.h"

const struct call_rule job_calls[] = {
#define ALLOWED_CALL(call, checks, reason) CALL_RULE(call, checks, reason),
#include "worker/sandbox/allowed_calls.def"
#undef ALLOWED_CALL
};
const size_t job_call_count = sizeof(job_calls) / sizeof(job_calls[0]);

static struct call_filter job_filter;

int
filter_build(struct err *err)
{
    return call_filter_build(&job_filter, job_calls, job_call_count, CALL_OTHERWISE_TRAP, err);
}

int
filter_install(struct err *err)
{
    return call_filter_install(&job_filter, err);
}
