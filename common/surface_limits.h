/* What the surfaces give a program: the rows of surfaces.def, with the settings filled in. */
#ifndef RETORT_SURFACE_LIMITS_H
#define RETORT_SURFACE_LIMITS_H

#include "common/config.h"
#include "common/job.h"

enum surface_kind {
#define SURFACE(symbol, endpoints, ordinary, longest, cpu, memory, code) SURFACE_##symbol,
#include "common/surfaces.def"
#undef SURFACE
    SURFACE_COUNT
};

/* Wall clock in ms: what a program has when its client says nothing, and at most. */
uint32_t surface_timeout_ms(const struct config *config, enum surface_kind kind);
uint32_t surface_timeout_most_ms(const struct config *config, enum surface_kind kind);
/* All limits of a program whose client has that timeout, at most surface_timeout_most_ms(). */
struct job_limits surface_limits(const struct config *config, enum surface_kind kind,
                                 uint32_t timeout_ms);

#endif
