/*
 * A way of asking for a program to be run: what is read of a request, and how its end is told. What
 * lies between is the same for all: submission, waiting, hang-ups, numbers for /metrics.
 *
 *     static const struct surface surface = {parse, answer_result, NULL};
 *
 *     void execute_handle(struct exchange *exchange)
 *     {
 *         surface_run(exchange, &surface);
 *     }
 */
#ifndef RETORT_SURFACE_H
#define RETORT_SURFACE_H

#include "api/exchange.h"
#include "api/validation.h"

struct surface {
    /*
     * Fills job, which is empty: language, code, limits and what else there is; a name that the
     * client gave the job goes to exchange->job_name. -1: validation has complaints, or err is set.
     */
    int (*parse)(struct exchange *exchange, struct job *job, struct validation *validation,
                 struct err *err);
    /* The program has run, or was cancelled: answers exchange from a verdict. */
    void (*answer_result)(struct exchange *exchange, const struct result *result);
    /* Answers what we failed at, or refused; NULL: exchange_fail_err(). */
    void (*answer_err)(struct exchange *exchange, const struct err *err);
};

/* How the queue takes a client's job. name: the client's own for it, borrowed, or NULL. */
struct queue_submit surface_submit_options(const struct app *app, const char *name);
/* Who asked for a job, and when. */
struct surface_asked {
    unsigned language;   /* metrics_language() */
    uint64_t started_us; /* monotonic */
    const char *label;   /* of the key; NULL: there was none */
    uint64_t file_bytes; /* that go with it */
};
/*
 * What is counted of a job: that it was submitted, and how it has ended, for all whom it may
 * concern: its result, or err when there is none.
 */
void surface_note_begin(void);
void surface_note_end(struct app *app, const struct surface_asked *asked,
                      const struct result *result, const struct err *err);

/* Handles a request: answers it now, or when its job has ended. surface is borrowed for so long. */
void surface_run(struct exchange *exchange, const struct surface *surface);

#endif
