/*
 * An executor over the fake zygote, and jobs that it is given: what tests of the executor share.
 * One at a time; every wait is bounded.
 */
#ifndef RETORT_TEST_EXECUTOR_HARNESS_H
#define RETORT_TEST_EXECUTOR_HARNESS_H

#include "worker/executor.h"

#define JOBS_MAX 64

/* One job of a test and what came of it. */
struct job_run {
    struct execution_record record;
    struct execution *execution; /* NULL when it has ended */
    struct result result;
    int ends;
};

struct executor_test {
    struct event_base *base;
    struct executor *executor;
    struct zygote_command command;
    struct job_run jobs[JOBS_MAX];
    int started, ended, ready, deaths;
};

extern struct executor_test t;
extern const struct job_limits usual;

/* mode: of fake_zygote.h. The second takes slots, spare and the replacement from options. */
void begin_mode(const char *mode, uint32_t slots, uint32_t spare);
void begin_with(const char *mode, const struct executor_options *options);
void end(void);

/* The executor's on_state: counts. */
void note_state(void *context, const struct err *err);

/* Starts a job of fake_zygote.h. NULL: refused, err says why. */
struct job_run *start_with(const char *what, const struct job_limits *limits, struct err *err);
struct job_run *start(const char *what);
/* Turns the loop until *counter is at least wanted. */
void loop_until(const int *counter, int wanted);
/* Starts a job and turns the loop until it has ended. */
const struct result *run(const char *what);
uint32_t warm_count(void);
void loop_until_warm(uint32_t wanted);

#endif
