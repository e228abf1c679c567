/* What the two files of the scheduler share: scheduler.c, scheduler_drain.c. */
#ifndef RETORT_SCHEDULER_INTERNAL_H
#define RETORT_SCHEDULER_INTERNAL_H

#include <stdbool.h>
#include <sys/queue.h>

#include "worker/lane.h"
#include "worker/live_output.h"
#include "worker/scheduler.h"

struct assignment {
    struct lane *lane;
    struct queue_claim claim;
    struct execution_records records;
    struct execution *execution;
    struct live_output live;
    struct event *guard;
    bool stopped;       /* before its own end, by us */
    enum err_code stop; /* what the result's error becomes then; ERR_NONE: a verdict is right;
                         * ERR_WORKER_LOST: none, it goes back to the queue */
    LIST_ENTRY(assignment) link;
};

struct scheduler {
    struct event_base *base;
    const char *worker_id;
    int (*accept)(void *context, size_t language, const struct layer_report *reports,
                  struct err *err);
    void (*on_drain_wish)(void *context);
    void *options_context;
    struct queue_worker *queue;
    struct lane *lanes;
    size_t lane_count;
    const char **languages;
    LIST_HEAD(assignment_list, assignment) assignments;
    uint32_t unacknowledged;   /* results given to the queue */
    struct event *drain_timer; /* not NULL: draining */
    bool stopped;              /* the drain timer has fired once */
    uint32_t hand_back_ms;     /* what is left then */
    bool drained;
    void (*on_drained)(void *context);
    void *drain_context;
};

/* ---- scheduler.c ---- */

/* Tells the queue how many more jobs of the language there is room for. */
void scheduler_update_capacity(struct lane *lane);
/* Ends it early, unless that was done before: see assignment->stop for why. */
void assignment_stop(struct assignment *assignment, enum err_code why);

/* ---- scheduler_drain.c ---- */

/* Called whenever there is less to wait for. From the loop only. */
void scheduler_check_drained(struct scheduler *scheduler);

#endif
