#include "common/surface_limits.h"

#define SETTING(field, name)    (uint32_t) config->field
#define SECONDS(field, name)    (uint32_t)(config->field * 1000)
#define FIXED(number)           number
#define SHARE(percent)          (uint32_t)((uint64_t)timeout_ms * (percent) / 100)
#define BYTES(field, name)      0
#define CHARACTERS(field, name) 0

uint32_t
surface_timeout_ms(const struct config *config, enum surface_kind kind)
{
    const uint32_t ordinary_ms[] = {
#define SURFACE(symbol, endpoints, ordinary, longest, cpu, memory, code) ordinary,
#include "common/surfaces.def"
#undef SURFACE
    };
    return ordinary_ms[kind];
}

uint32_t
surface_timeout_most_ms(const struct config *config, enum surface_kind kind)
{
    const uint32_t longest_ms[] = {
#define SURFACE(symbol, endpoints, ordinary, longest, cpu, memory, code) longest,
#include "common/surfaces.def"
#undef SURFACE
    };
    return longest_ms[kind];
}

struct job_limits
surface_limits(const struct config *config, enum surface_kind kind, uint32_t timeout_ms)
{
    const uint32_t cpu_ms[] = {
#define SURFACE(symbol, endpoints, ordinary, longest, cpu, memory, code) cpu,
#include "common/surfaces.def"
#undef SURFACE
    };
    const uint32_t memory_mb[] = {
#define SURFACE(symbol, endpoints, ordinary, longest, cpu, memory, code) memory,
#include "common/surfaces.def"
#undef SURFACE
    };
    struct job_limits limits = config_job_limits(config);

    limits.timeout_ms = timeout_ms;
    limits.cpu_ms = cpu_ms[kind] > 0 ? cpu_ms[kind] : 1;
    if (memory_mb[kind] < limits.memory_mb)
        limits.memory_mb = memory_mb[kind];
    return limits;
}
