/*
 * Several serving processes on one listening socket: forked, watched, replaced. Theory of operation
 * in supervisor.c.
 */
#ifndef RETORT_SUPERVISOR_H
#define RETORT_SUPERVISOR_H

#include <stdint.h>

#include "common/err.h"

#define SUPERVISOR_PROCESSES_MOST 64
/* One is there twice while it is replaced. */
#define SUPERVISOR_SLOTS          (SUPERVISOR_PROCESSES_MOST + 1)

/* For a serving process, its way to tell its parent. */
struct supervisor_report {
    int fd;
};
/* It serves. */
void supervisor_report_serving(struct supervisor_report *report);

struct supervisor_options {
    unsigned processes; /* how many serve: 1 to SUPERVISOR_PROCESSES_MOST */
    int listen_fd;      /* taken: closed here as soon as nothing more is to be accepted */
    uint64_t drain_timeout_ms;
    /*
     * What a serving process is, run in it; slot is a number below SUPERVISOR_SLOTS that no other
     * living one has. Returns when SIGTERM or SIGQUIT has ended it (struct service_options); -1:
     * it could not serve.
     */
    int (*serve)(void *context, unsigned slot, struct supervisor_report *report, struct err *err);
    void (*on_all_serving)(void *context);          /* in the parent, once */
    void (*on_ended)(void *context, unsigned slot); /* in the parent: the process is gone */
    void *context;
};

/*
 * Serves until SIGTERM or SIGINT, then lets what runs be answered and returns 0; a second one ends
 * at once. SIGHUP replaces the serving processes one after the other. -1: one of the first could
 * not serve, err says why, and all have ended. Signals are blocked from here on.
 */
int supervisor_run(const struct supervisor_options *options, struct err *err);

#endif
