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

/* Handles a request: answers it now, or when its job has ended. surface is borrowed for so long. */
void surface_run(struct exchange *exchange, const struct surface *surface);

#endif
