/* The table behind the filters of the daemons, for daemon_filter.c and its tests. */
#ifndef RETORT_DAEMON_FILTER_INTERNAL_H
#define RETORT_DAEMON_FILTER_INTERNAL_H

#include "common/call_filter.h"
#include "common/daemon_filter.h"

struct daemon_call {
    unsigned programs; /* enum daemon_program, ored */
    struct call_rule rule;
};

extern const struct daemon_call daemon_calls[];
extern const size_t daemon_call_count;

/* Has the filter of these programs (ored) this row? */
bool daemon_call_applies(const struct daemon_call *call, unsigned programs);

#endif
