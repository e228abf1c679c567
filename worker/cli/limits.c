#include "worker/cli/limits.h"

#include <sys/resource.h>

static int
lower(__rlimit_resource_t resource, rlim_t soft, rlim_t hard)
{
    struct rlimit now;

    if (getrlimit(resource, &now) < 0)
        return -1;
    if (now.rlim_max != RLIM_INFINITY && hard > now.rlim_max)
        hard = now.rlim_max;
    if (soft > hard)
        soft = hard;
    return setrlimit(resource, &(struct rlimit){.rlim_cur = soft, .rlim_max = hard});
}

int
cli_limits_apply_fixed(void)
{
    static const struct {
        __rlimit_resource_t resource;
        rlim_t value;
    } rows[] = {
#define CLI_LIMIT(resource, value, reason) {RLIMIT_##resource, value},
#include "worker/cli/limits.def"
#undef CLI_LIMIT
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (lower(rows[i].resource, rows[i].value, rows[i].value) < 0)
            return -1;
    }
    return 0;
}

int
cli_limits_apply(const struct cli_limits *limits)
{
    if (limits->trial)
        return 0;
    rlim_t cpu_s = (rlim_t)((limits->cpu_us + 999999) / 1000000);
    /* SIGXCPU at the soft limit names the cause; SIGKILL a second later, should it be caught. */
    if (lower(RLIMIT_CPU, cpu_s, cpu_s + 1) < 0)
        return -1;
    /*
     * DATA, not AS: runtimes reserve gigabytes of address space for each linear memory, but only
     * what they make writable counts here.
     */
    rlim_t data = (rlim_t)(limits->memory_bytes + CLI_RUNTIME_DATA_BYTES);
    if (lower(RLIMIT_DATA, data, data) < 0)
        return -1;
    if (limits->own_uid)
        return lower(RLIMIT_NPROC, CLI_RUNTIME_PROCESSES, CLI_RUNTIME_PROCESSES);
    return 0;
}
