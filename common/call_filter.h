/*
 * System call filters (seccomp), compiled from tables. This module is the only one that knows
 * libseccomp.
 *
 *     static const struct call_rule rules[] = {
 *     #define ALLOWED_CALL(call, checks, reason) CALL_RULE(call, checks, reason),
 *     #include "worker/sandbox/allowed_calls.def"
 *     };
 *     struct call_filter filter = CALL_FILTER_INIT;
 *     call_filter_build(&filter, rules, count, CALL_OTHERWISE_TRAP, &err);
 *     ... fork ...
 *     call_filter_install(&filter, &err);
 *
 * Calls of other architectures, of the x32 and of the 32-bit interface kill the process, whatever
 * the table says.
 */
#ifndef RETORT_CALL_FILTER_H
#define RETORT_CALL_FILTER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "common/err.h"

#define CALL_CHECKS_MAX 3

enum call_check_kind { CALL_CHECK_NONE = 0, CALL_CHECK_IS, CALL_CHECK_MASKED };

struct call_check {
    enum call_check_kind kind;
    unsigned argument; /* 0..5 */
    uint64_t mask;     /* CALL_CHECK_MASKED */
    uint64_t value;
};

/* One row: the call is allowed when all of its checks hold. Rows of one call are alternatives. */
struct call_rule {
    int number;
    const char *name;
    const char *reason;
    struct call_check checks[CALL_CHECKS_MAX]; /* up to the first CALL_CHECK_NONE */
};

/* What the rows of a table are written with: (ANY), (ARG_IS(0, 1), ARG_MASKED(2, PROT_EXEC, 0)). */
#define ANY                                                                                        \
    {                                                                                              \
        .kind = CALL_CHECK_NONE                                                                    \
    }
#define ARG_IS(n, wanted)                                                                          \
    {                                                                                              \
        .kind = CALL_CHECK_IS, .argument = (n), .value = (wanted)                                  \
    }
#define ARG_MASKED(n, bits, wanted)                                                                \
    {                                                                                              \
        .kind = CALL_CHECK_MASKED, .argument = (n), .mask = (bits), .value = (wanted)              \
    }
#define CALL_RULE_CHECKS(...) __VA_ARGS__
#define CALL_RULE(call, row_checks, why)                                                           \
    {                                                                                              \
        .number = SYS_##call, .name = #call, .reason = why, .checks = {                            \
            CALL_RULE_CHECKS row_checks                                                            \
        }                                                                                          \
    }

/* What becomes of a call that no row allows. */
enum call_otherwise {
    CALL_OTHERWISE_TRAP,   /* SIGSYS, with the call's number; unhandled or blocked, it kills */
    CALL_OTHERWISE_ENOSYS, /* it fails as on a kernel that does not have it */
};

struct sock_filter;

/* A compiled filter. Owns its code: call_filter_fini(). */
struct call_filter {
    struct sock_filter *code;
    unsigned short length;
};

#define CALL_FILTER_INIT                                                                           \
    {                                                                                              \
        .code = NULL                                                                               \
    }

int call_filter_build(struct call_filter *filter, const struct call_rule *rules, size_t count,
                      enum call_otherwise otherwise, struct err *err);
/* In force for this process and all that it starts, for good. Needs no_new_privs. Fork-safe. */
int call_filter_install(const struct call_filter *filter, struct err *err);
/* The same; what it refuses stands in the kernel's log, where the kernel can do that. */
int call_filter_install_logged(const struct call_filter *filter, struct err *err);
void call_filter_fini(struct call_filter *filter);

/* "socket"; "number 4711" for one that this library does not know. */
#define CALL_NAME_SIZE 64
void call_name(int number, char name[CALL_NAME_SIZE]);

#endif
