/*
 * Which layers of isolation there must be (REQUIRE_ISOLATION), and the look at those that there
 * are, before anything is run.
 */
#ifndef RETORT_ISOLATION_H
#define RETORT_ISOLATION_H

#include <event2/event.h>

#include "worker/executor.h"
#include "worker/layers_look.h"

struct isolation_requirement {
    bool layers[LAYER_COUNT];
    bool any; /* of them */
};

/* Names of layers.def, separated by commas; "all" or "1": all of them; "" or "0": none. */
int isolation_parse(struct isolation_requirement *required, const char *list, struct err *err);
/* -1: a required layer is off, err names each and why. One that cannot be seen is not off. */
int isolation_judge(const struct isolation_requirement *required,
                    const struct layer_finding findings[LAYER_COUNT], struct err *err);

/*
 * Turns the loop until a process of the executor's waits for a job, and looks at it. -1: the zygote
 * died first, or there was nothing to look at.
 */
int isolation_look(struct event_base *base, const struct executor *executor,
                   struct layer_finding findings[LAYER_COUNT], struct err *err);

struct isolation_watch_options {
    struct event_base *base;
    const struct isolation_requirement *required; /* borrowed */
    const char *language;                         /* for log lines; borrowed */
    /* Of the executor whose zygote is looked at. */
    void (*stats)(void *context, struct executor_stats *stats);
    /* Once, from the loop: err is NULL, or says what is missing that is required. */
    void (*on_known)(void *context, const struct err *err);
    void *context;
};

/*
 * Waits until a job process waits, looks at it, logs one line with what is missing, and calls back.
 * As long as no zygote boots nothing is known. NULL: out of memory.
 */
struct isolation_watch;
struct isolation_watch *isolation_watch_new(const struct isolation_watch_options *options,
                                            struct err *err);
/*
 * Of a zygote that is ready, what its start could not have (LAYER_COUNT reports). Once the first is
 * known, what a later one lacks beside it is logged, or, where it is required: -1, and err names
 * it.
 */
int isolation_watch_accept(struct isolation_watch *watch, const struct layer_report *reports,
                           struct err *err);
void isolation_watch_free(struct isolation_watch *watch);

#endif
