/*
 * Errors: one code, one errno, one sentence, on the caller's stack.
 *
 *     struct err err = ERR_INIT;
 *     if (thing_open(&thing, path, &err) < 0)
 *         return err_wrap(&err, "opening %s", path);
 *
 * A function that takes `struct err *` last returns 0 (or a value >= 0) and leaves it untouched,
 * or returns -1 (or NULL) and has set it exactly once. Nothing here allocates.
 */
#ifndef RETORT_ERR_H
#define RETORT_ERR_H

#include <stdbool.h>

enum err_code {
    ERR_NONE = 0,
#define ERR(symbol, name, http_status, retryable, text) ERR_##symbol,
#include "common/err.def"
#undef ERR
    ERR_CODE_COUNT
};

struct err {
    enum err_code code;
    int sys_errno;  /* 0 when no system call was involved */
    char text[320]; /* one sentence without newline */
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        .code = ERR_NONE                                                                           \
    }

/* Sets err (sys_errno 0: none; otherwise ": strerror" is appended). Always returns -1. */
int err_set(struct err *err, enum err_code code, int sys_errno, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "context: " before the text that is there already. Always returns -1. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Name on the wire ("queue_full"); "none" for ERR_NONE. Static. */
const char *err_code_name(enum err_code code);
/* The code of that name; ERR_NONE when there is none. */
enum err_code err_code_from_name(const char *name);
int err_code_http_status(enum err_code code);
bool err_code_retryable(enum err_code code);
/* The table's sentence. Static. */
const char *err_code_text(enum err_code code);

#endif
