/* What is asked of the worker's metrics server: the first line of a head. Pure. */
#ifndef RETORT_METRICS_REQUEST_H
#define RETORT_METRICS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

enum metrics_request_kind {
    METRICS_REQUEST_MALFORMED,
    METRICS_REQUEST_NOT_ALLOWED, /* neither GET nor HEAD */
    METRICS_REQUEST_UNKNOWN,     /* no such path */
    METRICS_REQUEST_PAGE,        /* /metrics */
    METRICS_REQUEST_HEALTH,      /* /healthz */
};

struct metrics_request {
    enum metrics_request_kind kind;
    bool head_only; /* HEAD: no body is wanted */
};

/* head: of size bytes, from its first one. A query is ignored. */
struct metrics_request metrics_request_read(const char *head, size_t size);

#endif
