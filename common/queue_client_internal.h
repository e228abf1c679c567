/* The parts of the API's side of the queue: queue_request.c, queue_client.c,
 * queue_cancel.c, queue_fleet.c. */
#ifndef RETORT_QUEUE_CLIENT_INTERNAL_H
#define RETORT_QUEUE_CLIENT_INTERNAL_H

#include <sys/queue.h>

#include "common/queue.h"
#include "common/queue_fitness.h"
#include "common/queue_keys.h"
#include "common/queue_scripts.h"
#include "common/queue_waiter.h"
#include "common/redis.h"

/* Records of answered jobs are deleted this many jobs at a time. */
#define QUEUE_DONE_COUNT 6

enum stage { STAGE_SUBMITTING, STAGE_WAITING, STAGE_ENDING };

struct queue_request {
    TAILQ_ENTRY(queue_request) entry; /* of client->requests, then of client->ended */
    struct queue_client *client;
    struct waiter *waiter;
    struct event *timer; /* end of submitting, then start_by, then answer_by */
    enum stage stage;
    char id[JOB_ID_SIZE];
    char name[JOB_ID_SIZE]; /* the client's own; "": none */
    char language[JOB_LANGUAGE_SIZE];
    struct bytes job_map, blob; /* as submitted; cancel finds the element by the former */
    struct queue_submit how;
    uint32_t answer_ms;    /* start_by to answer_by */
    uint64_t answer_by_us; /* monotonic; valid from WAITING on */
    queue_answer_fn *on_answer;
    void *context;
    uint32_t commands; /* under way on the shared connection, with this request as context */
    bool submitted;    /* a submit command was sent, and may have been executed */
    bool submit_lost;  /* its reply was lost with the connection */
    bool asked_again;  /* for the state, after the script was missing */
    bool ended;
    char state[16]; /* of the job, in ENDING; "": not known */
};

TAILQ_HEAD(request_list, queue_request);
LIST_HEAD(cancel_list, queue_cancel);

struct queue_client {
    struct event_base *base;
    char prefix[QUEUE_PREFIX_SIZE];
    struct redis_url url;
    uint32_t submit_timeout_ms; /* over reconnections */
    uint32_t max_in_flight, in_flight;
    struct redis_connection *connection;
    struct queue_scripts scripts;
    struct waiter_pool *waiters;
    struct request_list requests, ended; /* ended: commands of theirs are under way */
    struct cancel_list cancels;          /* under way */
    struct event *done_timer;
    struct queue_key done[QUEUE_DONE_COUNT * 2]; /* keys of answered jobs, to be deleted */
    unsigned done_count;
    struct queue_fitness fitness;
    struct queue_fleet fleet;
    struct event *sweep_timer;
    bool sweeping;                                                /* the script is under way */
    char languages[QUEUE_LANGUAGES_MOST * JOB_LANGUAGE_SIZE + 1]; /* a comma behind each */
};

/* ---- queue_request.c ---- */

/* NULL and err: it cannot even be tried. The request is in client->requests and not yet sent. */
struct queue_request *queue_request_new(struct queue_client *client, const struct job *job,
                                        const struct queue_submit *how, struct err *err);
void queue_request_submit(struct queue_request *request);
/* Off all lists and freed, whatever is under way; nobody is called. */
void queue_request_drop(struct queue_request *request);

/* ---- queue_client.c ---- */

/* The answer has arrived, so nobody needs the records: memory must not grow with the rate. */
void queue_client_note_done(struct queue_client *client, const char *id);

/* ---- queue_cancel.c ---- */

void queue_cancel_drop_all(struct queue_client *client);

/* ---- queue_fleet.c ---- */

int queue_fleet_start(struct queue_client *client, struct err *err);
/* At once: when the connection has come up. */
void queue_fleet_sweep(struct queue_client *client);

#endif
