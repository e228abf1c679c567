/* What executor.c (the pool) and execution.c (one job) share. */
#ifndef RETORT_EXECUTOR_INTERNAL_H
#define RETORT_EXECUTOR_INTERNAL_H

#include <sys/queue.h>

#include "worker/executor.h"
#include "worker/process.h"
#include "worker/verdict_of.h"

struct place;

TAILQ_HEAD(execution_list, execution);

struct execution {
    TAILQ_ENTRY(execution) link;
    struct execution_list *list; /* the one it is in, or NULL */
    struct executor *executor;
    struct execution_request request;
    struct place *place; /* NULL unless it runs */
    struct event *timer; /* wall clock; also the end of a job that was cancelled as it waited */
    uint64_t started_us;
    enum kill_reason killed;
};

/* One place of the pool. */
struct place {
    TAILQ_ENTRY(place) warm_link;
    bool in_warm; /* the process is WARM, and in that list */
    struct process process;
    struct execution *execution; /* while the process is RUNNING */
};

TAILQ_HEAD(place_list, place);

struct executor {
    struct event_base *base;
    struct executor_options options;
    struct zygote *zygote;
    struct place *places;
    uint32_t place_count;
    struct place_list warm;        /* longest first */
    struct execution_list waiting; /* oldest first */
    struct execution_list running;
    struct execution_list leaving; /* cancelled as they waited */
    struct event *refill_event;
    uint32_t execution_count, warm_count, forking_count;
    uint32_t early_ends; /* in a row */
    bool dead;           /* the zygote died and is not up again */
    uint64_t boot_us;
    uint32_t deaths;
    struct err last_failure;
};

/* A job that waits. NULL: out of memory. */
struct execution *execution_new(struct executor *executor, const struct execution_request *request);
/* Its records are in the place's process, which got its go byte just after started_us. */
void execution_started(struct execution *execution, struct place *place, uint64_t started_us);
/* Both end the execution and call on_done: with what its process's end tells, or as our failure. */
void execution_finish(struct execution *execution, const struct zygote_event *event);
void execution_fail(struct execution *execution, const char *text);
/* execution_fail() for those that are in the list now: on_done may start others. */
void execution_fail_all(struct execution_list *list, const char *text);
/* Frees all in the list and calls nothing back. */
void execution_free_all(struct execution_list *list);

#endif
