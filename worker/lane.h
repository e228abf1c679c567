/* One language of the scheduler's: its executor, and how much of it is in use. */
#ifndef RETORT_LANE_H
#define RETORT_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/scheduler.h"

struct lane {
    char *name;
    struct executor *executor;
    struct job_maxima maxima; /* of its jobs */
    uint32_t slots, running;
    bool open; /* jobs are taken */
    struct scheduler *scheduler;
};

/* As in struct executor_options; their context is the lane. */
struct lane_hooks {
    int (*accept)(void *context, const struct layer_report *reports, struct err *err);
    void (*on_state)(void *context, const struct err *err);
};

/* Starts its zygote. Borrows lane for the executor's life. lane_fini() also when it failed. */
int lane_init(struct lane *lane, const struct scheduler_options *options,
              const struct scheduler_language *language, const struct lane_hooks *hooks,
              struct err *err);
/* Of a zeroed one, too. The executor calls nothing back. */
void lane_fini(struct lane *lane);
/* None while there is no zygote that has booted. */
uint32_t lane_free_slots(const struct lane *lane);

#endif
