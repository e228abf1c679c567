/*
 * What the worker counts, and whether it is healthy: on a socket of its own, if it has a port for
 * that. The rows are in common/metrics.def.
 */
#ifndef RETORT_WORKER_METRICS_H
#define RETORT_WORKER_METRICS_H

#include <stdint.h>

#include "common/config.h"
#include "common/languages.h"
#include "common/queue.h"
#include "worker/scheduler.h"

struct metrics_server;

struct worker_metrics {
    int fd; /* listens; -1: nobody wants metrics, or the server has it */
    struct metrics_server *server;
    const struct languages *languages; /* as the scheduler's; borrowed */
    const struct scheduler *scheduler; /* borrowed */
    const struct queue_worker *queue;  /* borrowed */
    struct {
        uint32_t deaths, replaced; /* of zygotes, counted already */
    } seen[LANGUAGES_MOST];
};

#define WORKER_METRICS_INIT                                                                        \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/*
 * Listens on METRICS_HOST and METRICS_PORT, before the system-call filter, which has no row for it.
 * Without a port nothing is counted and the rest does nothing. languages have their slots.
 */
int worker_metrics_open(struct worker_metrics *metrics, const struct config *config,
                        const struct languages *languages, struct err *err);
/* Answers from now on. */
int worker_metrics_start(struct worker_metrics *metrics, struct event_base *base,
                         const struct scheduler *scheduler, const struct queue_worker *queue,
                         struct err *err);
void worker_metrics_fini(struct worker_metrics *metrics);

/* A job has ended. */
void worker_metrics_job(const char *language, const struct result *result);
/* The queue has said what became of a result; err may be NULL. */
void worker_metrics_finished(const struct err *err);

#endif
