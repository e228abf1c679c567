/* The table behind the filter, for filter.c and its test. */
#ifndef RETORT_SANDBOX_FILTER_INTERNAL_H
#define RETORT_SANDBOX_FILTER_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#define ALLOWED_CALL_CHECKS_MAX 3

enum call_check_kind { CALL_CHECK_NONE = 0, CALL_CHECK_IS, CALL_CHECK_MASKED };

struct call_check {
    enum call_check_kind kind;
    unsigned argument; /* 0..5 */
    uint64_t mask;     /* CALL_CHECK_MASKED */
    uint64_t value;
};

struct allowed_call {
    int number;
    const char *name;
    const char *reason;
    struct call_check checks[ALLOWED_CALL_CHECKS_MAX]; /* up to the first CALL_CHECK_NONE */
};

extern const struct allowed_call allowed_calls[];
extern const size_t allowed_call_count;

#endif
