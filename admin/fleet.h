/*
 * Who is there and what waits, read out of Redis at one time. What others have put under our keys
 * is listed as such.
 */
#ifndef RETORT_FLEET_H
#define RETORT_FLEET_H

#include "admin/session.h"
#include "common/languages.h"

struct fleet_usage {
    char language[JOB_LANGUAGE_SIZE];
    uint32_t slots, busy;
};

struct fleet_worker {
    char id[JOB_WORKER_SIZE];
    int64_t beat_ms; /* Redis's clock; -1: in no registry, but with jobs in flight */
    bool described;  /* what follows is known */
    char state[16], version[32], host[128];
    int64_t started_ms; /* 0: not known */
    struct fleet_usage usages[LANGUAGES_MOST];
    size_t usage_count;
    int64_t in_flight; /* jobs */
};

struct fleet_queue {
    char language[JOB_LANGUAGE_SIZE];
    int64_t depth;
    char oldest[JOB_ID_SIZE]; /* "": none, or it cannot be read */
    int64_t oldest_us;        /* Redis's clock, when it was submitted; 0: not known */
};

/* Something that is not ours. */
struct fleet_foreign {
    char *key; /* of key_size bytes */
    size_t key_size;
    char why[200];
};

struct fleet {
    int64_t now_us; /* Redis's clock */
    struct fleet_worker *workers;
    size_t worker_count;
    struct fleet_queue *queues;
    size_t queue_count;
    struct fleet_foreign *foreign;
    size_t foreign_count;
    int64_t dead_letters;
    struct err failed; /* out of memory */
};

/* -1: Redis is away, or no memory. fleet_fini() also then. */
int fleet_read(struct fleet *fleet, struct session *session, struct err *err);
void fleet_fini(struct fleet *fleet);

/* Its beat is young enough. */
bool fleet_worker_lives(const struct fleet *fleet, const struct fleet_worker *worker);
/* NULL: there is none of that name. */
const struct fleet_worker *fleet_find_worker(const struct fleet *fleet, const char *id);
struct fleet_usage fleet_usage_of(const struct fleet_worker *worker, const char *language);
/* Sets err to "there is no worker ID; there are: ...". Always -1. */
int fleet_no_such_worker(const struct fleet *fleet, const char *id, struct err *err);

#endif
