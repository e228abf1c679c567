/* The parts of the worker's side of the queue: queue_held.c, queue_taker.c, queue_worker.c. */
#ifndef RETORT_QUEUE_WORKER_INTERNAL_H
#define RETORT_QUEUE_WORKER_INTERNAL_H

#include <sys/queue.h>

#include "common/queue.h"
#include "common/queue_counts.h"
#include "common/queue_fitness.h"
#include "common/queue_keys.h"
#include "common/queue_scripts.h"
#include "common/recent_ids.h"
#include "common/redis.h"

/* Longest that a blocking command blocks: how long a dead connection can take a job unnoticed. */
#define QUEUE_BLOCK_S 2

struct held {
    TAILQ_ENTRY(held) entry;
    struct queue_worker *worker;
    char id[JOB_ID_SIZE];
    char language[JOB_LANGUAGE_SIZE];
    uint64_t epoch;
    uint64_t answer_by_us; /* monotonic */
    struct bytes element;  /* from here on: valid when finished */
    struct bytes result;
    bool finished;  /* finish, or handing back, is to be delivered */
    bool hand_back; /* the latter */
    bool under_way; /* a command of either is */
    bool quiet;     /* on_job was never called, so on_finished is not either */
    char why[64];   /* keep the element as a dead letter, with this; "": do not */
};

struct taker {
    struct queue_worker *worker;
    char language[JOB_LANGUAGE_SIZE];
    struct redis_connection *connection;
    int64_t client_id; /* of the connection, in Redis; 0: not known */
    uint32_t capacity, slots;
    bool under_way;
    bool move_failed; /* the last BLMOVE was refused: do not try again at once */
};

TAILQ_HEAD(held_list, held);

struct queue_worker {
    char prefix[QUEUE_PREFIX_SIZE];
    char id[JOB_WORKER_SIZE];
    char host[64];
    uint64_t instance; /* tells it from another of the same id */
    struct redis_url url;
    struct queue_worker_hooks hooks;
    struct redis_connection *connection, *cancel_connection;
    struct queue_scripts scripts;
    struct queue_fitness fitness;
    struct taker *takers;
    unsigned taker_count;
    struct held_list held;
    uint32_t held_count;
    /* Cancelled before their claim's reply has arrived, which comes over another connection. */
    struct recent_ids cancelled_early;
    struct event *beat;
    struct event *drain; /* looks whether it is idle; pending while draining */
    bool draining;
    bool leaving; /* the registry; no beat any more */
    uint64_t drain_by_us;
    void (*on_drained)(void *context);
    void *drain_context;
    unsigned beats;    /* since the last comparison */
    bool check_wanted; /* compare with the next beat */
    bool beat_under_way;
    uint64_t beat_sent_us, lease_until_us; /* monotonic */
    uint64_t name_taken_us;                /* since then; 0: it is not */
    int64_t started_ms;                    /* of this worker; realtime, for people */
};

/* ---- queue_beat.c ---- */

void queue_beat_send(struct queue_worker *worker);
/* Whether nobody may have taken over what this worker was given. */
bool queue_beat_has_lease(const struct queue_worker *worker);

/* ---- queue_held.c: jobs from claim to the end of finish ---- */

/* NULL: no memory. */
struct held *queue_held_new(struct queue_worker *worker, const struct queue_claim *claim);
struct held *queue_held_find(const struct queue_worker *worker, const char *id, uint64_t epoch);
void queue_held_free(struct held *held);
/* Sends what could not be delivered once more, and gives up what nobody waits for any more. */
void queue_held_retry(struct queue_worker *worker);

/* ---- queue_taker.c: from the queue to on_job ---- */

/* Takes a job if the language has capacity and nothing is under way. */
void queue_taker_take(struct taker *taker);

#endif
