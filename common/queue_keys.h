/* Names of the keys that the queue's C code uses itself; the rest are made by the scripts. */
#ifndef RETORT_QUEUE_KEYS_H
#define RETORT_QUEUE_KEYS_H

#include "common/err.h"

#define QUEUE_PREFIX_SIZE 64
#define QUEUE_KEY_SIZE    160

struct queue_key {
    char text[QUEUE_KEY_SIZE];
};

enum queue_key_kind {
    QUEUE_KEY_QUEUE,
    QUEUE_KEY_INFLIGHT,
    QUEUE_KEY_JOB,
    QUEUE_KEY_RESULT,
    QUEUE_KEY_REPLY,
    QUEUE_KEY_CANCEL,
    QUEUE_KEY_WORKER,
    QUEUE_KEY_EVENTS,
};

/* Copies prefix into out (QUEUE_PREFIX_SIZE): up to 63 printable characters without blanks. */
int queue_prefix_copy(char *out, const char *prefix, struct err *err);
/* What may stand behind a prefix: a language, a worker's or a job's id; [A-Za-z0-9._-]+. */
int queue_name_check(const char *what, const char *name, unsigned size, struct err *err);
/* "<prefix>result:<name>" and so on. */
struct queue_key queue_key(const char *prefix, enum queue_key_kind kind, const char *name);

#endif
