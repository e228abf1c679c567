#include "worker/sandbox/filter.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include "worker/sandbox/filter_internal.h"
#include "worker/sandbox/limits.h"
#include "worker/zygote_protocol.h"

#ifndef MADV_POPULATE_READ /* Linux 5.14; not yet in every libc */
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

#define ALLOWED_CALL(call, checks, reason) CALL_RULE(call, checks, reason),
const struct call_rule job_calls[] = {
#include "worker/sandbox/allowed_calls.def"
};
const size_t job_call_count = sizeof(job_calls) / sizeof(job_calls[0]);

const struct call_rule zygote_calls[] = {
#include "worker/sandbox/allowed_calls.def"
#include "worker/sandbox/zygote_calls.def"
};
const size_t zygote_call_count = sizeof(zygote_calls) / sizeof(zygote_calls[0]);
#undef ALLOWED_CALL

static struct call_filter job_filter, zygote_filter;

int
filter_build(struct err *err)
{
    if (call_filter_build(&zygote_filter, zygote_calls, zygote_call_count, CALL_OTHERWISE_TRAP,
                          err) < 0)
        return -1;
    return call_filter_build(&job_filter, job_calls, job_call_count, CALL_OTHERWISE_TRAP, err);
}

int
filter_install_zygote(struct err *err)
{
    return call_filter_install(&zygote_filter, err);
}

int
filter_install(struct err *err)
{
    return call_filter_install(&job_filter, err);
}
