/* What executor.c, executor_pool.c, executor_zygotes.c and execution.c share. */
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

/* One zygote, from its first boot to its end; restarts after a death included. */
struct generation {
    TAILQ_ENTRY(generation) link; /* of those that are retired */
    struct executor *executor;
    struct zygote *zygote;
    uint64_t job_count;     /* jobs given to its processes */
    uint32_t process_count; /* places that its processes take */
    bool retired;           /* another one forks */
    bool ending;            /* nothing is left of it but itself */
};

TAILQ_HEAD(generation_list, generation);

/* One place of the pool. */
struct place {
    TAILQ_ENTRY(place) warm_link;
    bool in_warm;                  /* the process is WARM, and in that list */
    bool dismissed;                /* it was told to end without a job */
    struct generation *generation; /* of the process; NULL when there is none */
    struct process process;
    struct execution *execution; /* while the process is RUNNING */
};

TAILQ_HEAD(place_list, place);

struct executor {
    struct event_base *base;
    struct executor_options options;
    struct generation *current, *next; /* the one that forks; one that boots, or NULL */
    struct generation_list retired;
    struct event *age_timer;
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
    uint32_t deaths, replaced;
    struct err last_failure;
};

/* ---- executor_pool.c ---- */

int pool_init(struct executor *executor, struct err *err);
/* Kills all processes. */
void pool_fini(struct executor *executor);
/* Gives jobs that wait to processes that wait. */
void pool_match(struct executor *executor);
/* Makes processes that are missing, from the loop. */
void pool_refill_in(struct executor *executor, unsigned ms);
/* A zygote's FORKED (takes pidfd), and its EXITED or FAILED. */
void pool_forked(struct executor *executor, uint32_t serial, int pidfd);
void pool_ended(struct executor *executor, const struct zygote_event *event);
/* Its job processes are gone with it, or will be at once; their jobs end with text. */
void pool_zygote_died(struct generation *generation, const char *text);

/* ---- executor_zygotes.c ---- */

int zygotes_init(struct executor *executor, struct err *err);
void zygotes_fini(struct executor *executor);
/* One of its processes got a job; one of its processes is gone. */
void zygotes_note_job(struct generation *generation);
void zygotes_release(struct generation *generation);

/* ---- execution.c ---- */

/* A job that waits. NULL: out of memory. */
struct execution *execution_new(struct executor *executor, const struct execution_request *request);
/* Its records are in the place's process, which got its go byte just after started_us. */
void execution_started(struct execution *execution, struct place *place, uint64_t started_us);
/* Its process is gone without a word: the execution moves to list. */
void execution_lose_place(struct execution *execution, struct execution_list *list);
/* Both end the execution and call on_done: with what its process's end tells, or as our failure. */
void execution_finish(struct execution *execution, const struct zygote_event *event);
void execution_fail(struct execution *execution, const char *text);
/* execution_fail() for those that are in the list now: on_done may start others. */
void execution_fail_all(struct execution_list *list, const char *text);
/* Frees all in the list and calls nothing back. */
void execution_free_all(struct execution_list *list);

#endif
