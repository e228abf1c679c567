/*
 * Both sides of the queue on one loop, over a Redis of their own: a client whose answers are
 * counted, and a worker that finishes each job as it is told.
 */
#ifndef RETORT_QUEUE_HARNESS_H
#define RETORT_QUEUE_HARNESS_H

#include "common/queue.h"
#include "tests/support/redis_fixture.h"

#define HARNESS_PREFIX "t:"

struct harness_answer {
    unsigned count;       /* calls of on_answer */
    enum err_code code;   /* of err */
    struct result result; /* valid when code is ERR_NONE */
    char text[320];
    struct queue_request *request;
};

enum harness_worker_mode {
    HARNESS_FINISH, /* at once, the program's output is its code */
    HARNESS_HOLD,   /* keeps the claim in held[] */
};

struct harness {
    struct redis_fixture redis;
    struct event_base *base;
    struct queue_client *client;
    struct queue_worker *worker;
    enum harness_worker_mode mode;
    unsigned jobs;      /* calls of on_job */
    unsigned cancels;   /* calls of on_cancel */
    unsigned delivered; /* calls of on_finished with err NULL */
    unsigned refused;   /* with REJECTED */
    unsigned undelivered;
    unsigned drains; /* calls of on_drain */
    unsigned unfits; /* calls of on_unfit, of all clients and workers made after it was set */
    char unfit_text[320];
    char cancelled_id[JOB_ID_SIZE];
    struct queue_claim held[64];
    unsigned held_count;
};

/* For cmocka's setup and teardown. Client and worker are connected afterwards; capacity is 0. */
int harness_setup(void **state);
int harness_teardown(void **state);

/* A second worker beside it, which counts and holds as the first; the test frees it. */
struct queue_worker *harness_worker(struct harness *h, const char *id);

/* Options for a client or worker of the test's own, which counts in unfits. */
struct queue_options harness_options(struct harness *h);

/* Submits code with the standard limits; answer is overwritten. */
void harness_submit(struct harness *h, const char *code, struct harness_answer *answer);
void harness_submit_as(struct harness *h, const char *code, const struct queue_submit *how,
                       uint32_t timeout_ms, struct harness_answer *answer);
/* Finishes held[index] with its code as output. */
void harness_finish(struct harness *h, unsigned index);
/* Runs the loop until *value has reached at_least; fails the test after ms. */
void harness_run_until(struct harness *h, const unsigned *value, unsigned at_least, unsigned ms);
/* The same for a condition. */
void harness_run_while(struct harness *h, bool (*condition)(struct harness *h), unsigned ms);
/* Runs the loop until so many jobs stand in the queue. */
void harness_wait_depth(struct harness *h, long long depth);
/* Runs the loop for so long: only to show that nothing more happens. */
void harness_run_for(struct harness *h, unsigned ms);
bool harness_disconnected(struct harness *h);

#endif
