/*
 * Cleaning up STORAGE_DIR: temporary files of processes that died, and contents to which no record
 * refers any more. By one process at a time, whoever gets the lock in Redis, in steps of
 * SWEEP_STEP_NAMES names; between two passes it rests for STORAGE_SWEEP_SEC.
 */
#ifndef RETORT_STORAGE_SWEEP_H
#define RETORT_STORAGE_SWEEP_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "api/storage.h"
#include "common/job.h"
#include "common/redis_script.h"

#define SWEEP_STEP_NAMES 64

struct storage_sweep {
    struct storage *storage;             /* borrowed, as connection and prefix are */
    struct redis_connection *connection; /* NULL: not connected yet */
    const char *prefix;
    uint64_t rest_sec;
    struct event timer;
    struct redis_script script;
    char name[JOB_ID_SIZE]; /* who this is, for the lock */
    struct storage_walk *walk;
    unsigned shelf;   /* STORAGE_SHELVES: this pass is through */
    uint64_t removed; /* in this pass */
};

int storage_sweep_init(struct storage_sweep *sweep, struct event_base *base, struct err *err);
void storage_sweep_begin(struct storage_sweep *sweep);
void storage_sweep_fini(struct storage_sweep *sweep);

#endif
