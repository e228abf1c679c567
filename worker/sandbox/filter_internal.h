/* The tables behind the filters, for filter.c and its tests. */
#ifndef RETORT_SANDBOX_FILTER_INTERNAL_H
#define RETORT_SANDBOX_FILTER_INTERNAL_H

#include "common/call_filter.h"

extern const struct call_rule job_calls[];
extern const size_t job_call_count;
/* Those of job processes, and the zygote's own. */
extern const struct call_rule zygote_calls[];
extern const size_t zygote_call_count;

#endif
