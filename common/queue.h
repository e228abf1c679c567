/*
 * The queue: jobs that are never lost and never silent, over Redis. docs/PROTOCOL.md is the
 * protocol; this is its API for both daemons, on their libevent loop. One Redis server, keys
 *
 *     <prefix>queue:<language>      list of elements (codec.h), LPUSH in, BLMOVE out
 *     <prefix>inflight:<worker>     list of elements that a worker has taken
 *     <prefix>job:<id>              hash: state, attempts, owner, epoch, start_by, answer_by
 *     <prefix>blob:<id>             code and input of a job too large for the list
 *     <prefix>result:<id>           string: the packed result; the answer
 *     <prefix>reply:<id>            list; only wakes who waits
 *     <prefix>worker:<worker>       hash with expiry: heartbeat
 *     <prefix>cancel:<worker>       list: ids of running jobs to kill
 *     <prefix>workers               sorted set: all workers by their last beat
 *     <prefix>sweeps                hash: when somebody last looked for dead workers
 *     <prefix>dead                  list: elements that could not be understood
 *     <prefix>events:<id>           stream: what a running job has written (queue_events.h)
 *
 * Only the five scripts submit, claim, finish, cancel and reap (common/queue_scripts/) write job
 * hashes. Everything expires. No call blocks; every callback is called exactly once, from the
 * loop, also when Redis is away (err->code ERR_UNAVAILABLE), never before the call returns. The
 * program must ignore SIGPIPE. Clients and workers are not freed from within their callbacks.
 */
#ifndef RETORT_QUEUE_H
#define RETORT_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "common/err.h"
#include "common/job.h"

struct queue_options {
    const char *redis_url; /* borrowed during the call */
    const char *prefix;    /* copied */
    uint32_t connect_timeout_ms;
    uint32_t command_timeout_ms; /* for a reply to a command that does not block */
    uint32_t
        siblings;    /* other such clients of this service, whose connections Redis must bear too */
    uint32_t others; /* connections that this process and each sibling have beside these */
    /*
     * The Redis that was found first cannot do what is wanted of it (redis_fitness.h), or the
     * worker's id is another's: err says what to do. Called once; NULL: it is only logged.
     */
    void (*on_unfit)(void *context, const struct err *err);
    void *context;
};

/* ---- for the API ---- */

struct queue_client;
struct queue_request; /* one submitted job whose answer is awaited */

/* NULL: bad URL and the like. Connects in the background and for ever after, with backoff. */
struct queue_client *queue_client_new(struct event_base *base, const struct queue_options *options,
                                      uint32_t max_in_flight, struct err *err);
/* Detaches every request without calling back. */
void queue_client_free(struct queue_client *client);
/* Connections to Redis that a client with so many requests in flight may have open. */
uint32_t queue_client_connections_most(uint32_t max_in_flight);
bool queue_client_connected(const struct queue_client *client);
uint32_t queue_client_in_flight(const struct queue_client *client);

/* ---- what the API sees of all queues and workers; refreshed every half second ---- */

#define QUEUE_LANGUAGES_MOST 16
/* A worker whose beat is older than this is dead. */
#define QUEUE_BEAT_EXPIRY_MS 5000

struct queue_language {
    char name[JOB_LANGUAGE_SIZE];
    uint32_t depth;   /* jobs that wait */
    uint32_t workers; /* that serve it and live */
    uint32_t slots, busy;
};

struct queue_fleet {
    uint64_t seen_us;                /* monotonic; 0: never */
    uint32_t workers;                /* that live */
    uint32_t dead_letters;           /* that are kept */
    uint64_t retried, lost, expired; /* jobs, by what this process swept up, since it began */
    uint32_t language_count;
    struct queue_language languages[QUEUE_LANGUAGES_MOST];
};

/*
 * Languages whose queues are looked after (NULL-terminated, copied), beside those that workers
 * serve; `python` until this is called. -1: too many.
 */
int queue_client_set_languages(struct queue_client *client, const char *const *languages,
                               struct err *err);
const struct queue_fleet *queue_client_fleet(const struct queue_client *client);

/* ---- requests ---- */

/*
 * The answer: result set and err NULL (result is borrowed for the call), or err set: QUEUE_FULL,
 * UNAVAILABLE, REJECTED (the id or name is known) at submission; QUEUE_TIMEOUT, WORKER_LOST at the
 * deadline. A result whose own `error` is set (a worker published worker_lost, say) also arrives as
 * result.
 */
typedef void queue_answer_fn(void *context, const struct result *result, const struct err *err);

struct queue_submit {
    uint32_t max_depth;    /* of the list; beyond it QUEUE_FULL */
    uint32_t max_wait_ms;  /* start_by = Redis's now + this; answer_by = start_by + timeout + 2 s */
    uint32_t max_attempts; /* runs, when workers are lost; 0: 2 */
    /* The client's own name for the job, 1 to 32 of A-Z a-z 0-9 . _ -, borrowed for the call, by
     * which it can be cancelled; known until a minute after answer_by. NULL: none. */
    const char *name;
    bool at_head; /* readiness probes go first and are exempt from max_depth */
    /* The records of an answered job are somebody else's to delete: job:<id> and result:<id>. */
    bool keep_records;
    /* The job is in the queue; called at most once, and before on_answer unless that came first.
     * Gets the context of on_answer and may not end the request. NULL: nobody is told. */
    void (*on_accepted)(void *context);
};

/*
 * Submits job (borrowed for the call; its id must be set) and waits for its answer.
 * NULL and err when it cannot even be tried (too many in flight: QUEUE_FULL, Redis away:
 * UNAVAILABLE); then on_answer is not called.
 */
struct queue_request *queue_submit(struct queue_client *client, const struct job *job,
                                   const struct queue_submit *how, queue_answer_fn *on_answer,
                                   void *context, struct err *err);
/* The client hung up: cancels the job, forgets the request. on_answer will not be called. */
void queue_request_cancel(struct queue_request *request);

/*
 * Ends a job, whoever submitted it, by its name or its id. state is what it was in before:
 * "queued", "running" (these get the verdict cancelled), a final one, or "missing": nobody knows
 * it.
 */
typedef void queue_cancelled_fn(void *context, const char *state, const struct err *err);
struct queue_cancel;
struct queue_cancel *queue_cancel_start(struct queue_client *client, const char *name,
                                        queue_cancelled_fn *on_cancelled, void *context,
                                        struct err *err);
/* on_cancelled will not be called; the job is cancelled all the same. */
void queue_cancel_forget(struct queue_cancel *cancel);

/* ---- for the worker ---- */

struct queue_worker;

struct queue_claim {
    struct job job;        /* owned by the receiver of on_job: job_fini() */
    struct bytes element;  /* as it stands in the in-flight list; give it back to finish */
    uint64_t epoch;        /* ownership; finish is refused when it is no longer current */
    uint32_t attempts;     /* this one included */
    uint64_t queue_us;     /* from submission to this claim, Redis's clock */
    uint64_t answer_by_us; /* job.answer_by_ms on this machine's monotonic clock */
};

struct queue_worker_hooks {
    /* A job is claimed for this worker. Takes *claim's contents. Called only while capacity > 0. */
    void (*on_job)(void *context, struct queue_claim *claim);
    /* Kill this job if it still runs, and finish it as cancelled. epoch 0: whichever claim of it;
     * else that one, which is no longer this worker's: nobody will take its result. */
    void (*on_cancel)(void *context, const char *id, uint64_t epoch);
    /* An operator wants the worker to drain and end. NULL: it does not listen. */
    void (*on_drain)(void *context);
    /* finish was done (err NULL), was refused since another owns the job (REJECTED), or could not
     * be delivered before the job's answer_by (UNAVAILABLE). */
    void (*on_finished)(void *context, const char *id, const struct err *err);
    void *context;
};

/* languages: NULL-terminated. Takes nothing until queue_worker_set_capacity(). */
struct queue_worker *queue_worker_new(struct event_base *base, const struct queue_options *options,
                                      const char *worker_id, const char *const *languages,
                                      const struct queue_worker_hooks *hooks, struct err *err);
void queue_worker_free(struct queue_worker *worker);
bool queue_worker_connected(const struct queue_worker *worker);
/* Nothing is being taken, held or delivered: with capacities at 0 the worker may go. */
bool queue_worker_idle(const struct queue_worker *worker);
/* How many jobs of the language it has room for in all: what others see of it. */
void queue_worker_set_slots(struct queue_worker *worker, const char *language, uint32_t slots);
/*
 * Stops taking jobs for good: capacities are 0 from now on, a blocking pop is ended, and what it
 * brings all the same goes back to the queue. When the worker is idle, or timeout_ms have passed,
 * it leaves the registry, and what it still has goes to others. Then on_drained is called, once,
 * within two seconds more. Freeing a worker without this can strand a job that was just handed out.
 */
void queue_worker_drain(struct queue_worker *worker, uint32_t timeout_ms,
                        void (*on_drained)(void *context), void *context);
/* How many more jobs of the language it may hand to on_job. Falls by one with each on_job. */
void queue_worker_set_capacity(struct queue_worker *worker, const char *language,
                               uint32_t free_slots);
/* Publishes. Copies what it needs; kept and repeated over reconnections until answer_by. */
int queue_worker_finish(struct queue_worker *worker, const struct queue_claim *claim,
                        const struct result *result, struct err *err);
/*
 * Gives a job back that was started and will not be finished: it is run again while it has attempts
 * and time, else answered with worker_lost. Otherwise as queue_worker_finish().
 */
int queue_worker_hand_back(struct queue_worker *worker, const struct queue_claim *claim,
                           struct err *err);
void queue_claim_fini(struct queue_claim *claim);

#endif
