#include "worker/sandbox/limits.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <time.h>

struct rlimit_row {
    __rlimit_resource_t resource;
    const char *name;
    enum rlimit_stage stage;
    uint64_t value;
};

/*
 * On the clock that wait4() reports. ITIMER_PROF's counts in ticks, whole ones for whoever runs as
 * they come, and was early by a tenth on a busy machine.
 */
static timer_t cpu_timer;

/* One call where the value may be set, which is nearly always: this runs while a job waits. */
static int
apply_row(const struct rlimit_row *row, struct err *err)
{
    struct rlimit limit = {.rlim_cur = row->value, .rlim_max = row->value};

    if (setrlimit(row->resource, &limit) == 0)
        return 0;
    /* Refused since the hard limit is lower already: then that one it is. */
    if (errno != EPERM || getrlimit(row->resource, &limit) < 0 || limit.rlim_max > row->value)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot set RLIMIT_%s", row->name);
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(row->resource, &limit) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot set RLIMIT_%s", row->name);
    return 0;
}

int
limits_apply(enum rlimit_stage stage, const struct job_rlimits *job, struct err *err)
{
    static const struct job_rlimits none;

    if (job == NULL)
        job = &none;
    const struct rlimit_row rows[] = {
#define SANDBOX_RLIMIT(resource, row_stage, value, reason)                                         \
    {RLIMIT_##resource, #resource, RLIMIT_STAGE_##row_stage, value},
#include "worker/sandbox/rlimits.def"
#undef SANDBOX_RLIMIT
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].stage == stage && apply_row(&rows[i], err) < 0)
            return -1;
    return 0;
}

void
limits_give_way(void)
{
    /* Whoever is nicer already stays so: then this raises it, and is refused. */
    (void)setpriority(PRIO_PROCESS, 0, SANDBOX_NICE);
}

int
limits_make_cpu_timer(struct err *err)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGPROF};

    if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &cpu_timer) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot make the CPU timer");
    return 0;
}

int
limits_start_cpu_timer(uint64_t cpu_limit_us, struct err *err)
{
    const struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(cpu_limit_us / 1000000),
                     .tv_nsec = (long)(cpu_limit_us % 1000000) * 1000},
    };

    if (timer_settime(cpu_timer, 0, &when, NULL) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot start the CPU timer");
    return 0;
}

void
limits_stop_cpu_timer(void)
{
    const struct itimerspec never = {.it_value = {.tv_sec = 0}};

    (void)timer_settime(cpu_timer, 0, &never, NULL);
}
