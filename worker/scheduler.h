/*
 * Between the queue and the executors: of each language as many jobs as it has slots, each from the
 * moment that it is claimed to the moment that its result is published.
 *
 *     struct scheduler *scheduler = scheduler_new(&options, &err);
 *     struct queue_worker_hooks hooks = scheduler_queue_hooks(scheduler);
 *     queue = queue_worker_new(base, ..., scheduler_languages(scheduler), &hooks, &err);
 *     scheduler_set_queue(scheduler, 0, queue);
 *     ... event loop ...
 *     scheduler_drain(scheduler, timeout_ms, on_drained, context);
 */
#ifndef RETORT_SCHEDULER_H
#define RETORT_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "common/err.h"
#include "common/queue.h"
#include "worker/admission.h"
#include "worker/executor.h"

struct scheduler_language {
    const char *name;                     /* of the queue's list; borrowed */
    const struct zygote_command *command; /* borrowed */
    uint32_t slots;                       /* jobs of it at the same time */
    bool no_files;                        /* the engine takes none */
};

struct scheduler_options {
    struct event_base *base;
    const char *worker_id;                       /* borrowed */
    uint64_t zygote_max_age_ms, zygote_max_jobs; /* as in struct executor_options */
    struct cgroup_tree *cgroups;                 /* for those of zygotes; borrowed, may be NULL */
    /* Whether a zygote of a language (index) may be used, as in struct executor_options; NULL: all.
     */
    int (*accept)(void *context, size_t language, const struct layer_report *reports,
                  struct err *err);
    /* An operator asks through the queue for the worker to drain; NULL: it does not listen. */
    void (*on_drain_wish)(void *context);
    void *context; /* of accept and on_drain_wish */
    struct job_maxima maxima;
    const struct scheduler_language *languages; /* borrowed during scheduler_new() */
    size_t language_count;
};

struct scheduler;

struct scheduler *scheduler_new(const struct scheduler_options *options, struct err *err);
/* Kills what still runs; publishes nothing. */
void scheduler_free(struct scheduler *scheduler);

/* NULL-terminated; valid as long as scheduler. */
const char *const *scheduler_languages(const struct scheduler *scheduler);
/* Of the executor of that language, in the order of the options. */
void scheduler_stats(const struct scheduler *scheduler, size_t language,
                     struct executor_stats *stats);
/* To make the queue's worker with. */
struct queue_worker_hooks scheduler_queue_hooks(struct scheduler *scheduler);
/* That worker (borrowed); before this no job of the language (index) is taken. */
void scheduler_set_queue(struct scheduler *scheduler, size_t language, struct queue_worker *queue);

/*
 * Takes no more jobs and lets those that run end; in time before timeout_ms are over it kills the
 * rest and hands them back to the queue. When every result is published, or timeout_ms are over,
 * on_drained is called, from the loop, once. A second call is ignored.
 */
void scheduler_drain(struct scheduler *scheduler, uint32_t timeout_ms,
                     void (*on_drained)(void *context), void *context);

/* Jobs claimed and not yet answered, results not yet acknowledged included. */
uint32_t scheduler_busy(const struct scheduler *scheduler);

#endif
