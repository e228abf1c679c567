/*
 * Structured log: one JSON object a line on standard error, whole lines only.
 *
 *     LOG(LOG_INFO, "job_finished", {"id", LOG_STR(id)}, {"exec_us", LOG_UINT(us)});
 *
 * Fields "time" (RFC 3339, UTC, milliseconds), "level", "program", "event" come first. Values are
 * escaped; lines longer than 4 KiB are cut at a value. Never log a user's code, input or output.
 */
#ifndef RETORT_LOG_H
#define RETORT_LOG_H

#include <stdint.h>

#include "common/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log_value {
    enum { LOG_VALUE_STR, LOG_VALUE_INT, LOG_VALUE_UINT } type;
    union {
        const char *str; /* NULL is written as null */
        int64_t i;
        uint64_t u;
    };
};

#define LOG_STR(value)  ((struct log_value){.type = LOG_VALUE_STR, .str = (value)})
#define LOG_INT(value)  ((struct log_value){.type = LOG_VALUE_INT, .i = (value)})
#define LOG_UINT(value) ((struct log_value){.type = LOG_VALUE_UINT, .u = (value)})

struct log_field {
    const char *name;
    struct log_value value;
};

/* Name of the program for every line (borrowed), and the least level that is written. */
void log_init(const char *program, enum log_level level);
int log_level_from_name(const char *name, enum log_level *level, struct err *err);

/* count fields. Use the macro below. */
void log_write(enum log_level level, const char *event, const struct log_field *fields,
               unsigned count);

/* LOG(LOG_INFO, "started", {"port", LOG_UINT(port)}, {"host", LOG_STR(host)}); */
#define LOG(level, event, ...)                                                                     \
    do {                                                                                           \
        const struct log_field log_fields_[] = {__VA_ARGS__};                                      \
        log_write(level, event, log_fields_, sizeof(log_fields_) / sizeof(log_fields_[0]));        \
    } while (0)

/* Logs err where it stops travelling: fields "error" (code's name) and "message". */
void log_err(enum log_level level, const char *event, const struct err *err);

#endif
