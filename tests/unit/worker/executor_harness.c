#include "tests/unit/worker/executor_harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "tests/support/fake_zygote.h"

#define GUARD_S 20

struct executor_test t;

const struct job_limits usual = {.timeout_ms = 10000,
                                 .cpu_ms = 1000,
                                 .memory_mb = 64,
                                 .output_bytes = 4096,
                                 .work_bytes = 4096,
                                 .work_files = 10,
                                 .artifacts = 2,
                                 .artifact_bytes = 100,
                                 .artifacts_total_bytes = 100};

static void
on_done(void *context, struct result *result)
{
    struct job_run *job = context;

    job->result = *result;
    job->execution = NULL;
    job->ends++;
    t.ended++;
}

void
note_state(void *context, const struct err *err)
{
    (void)context;
    if (err == NULL)
        t.ready++;
    else
        t.deaths++;
}

void
begin_mode(const char *mode, uint32_t slots, uint32_t spare)
{
    begin_with(mode, &(struct executor_options){.slots = slots, .spare = spare});
}

void
begin_with(const char *mode, const struct executor_options *given)
{
    struct executor_options options = *given;
    struct err err = ERR_INIT;

    options.command = &t.command;
    options.memory.input = options.memory.output = options.memory.artifacts = 4096;
    options.on_state = note_state;
    memset(&t, 0, sizeof(t));
    t.base = event_base_new();
    assert_int_equal(fake_zygote_command(&t.command, mode, &err), 0);
    t.executor = executor_new(t.base, &options, &err);
    assert_non_null(t.executor);
}

void
end(void)
{
    executor_free(t.executor);
    for (int i = 0; i < t.started; i++)
        result_fini(&t.jobs[i].result);
    event_base_free(t.base);
    zygote_command_fini(&t.command);
}

struct job_run *
start_with(const char *what, const struct job_limits *limits, struct err *err)
{
    struct job_run *job = &t.jobs[t.started];

    job->record =
        (struct execution_record){.type = JOB_RECORD_ARG, .data = what, .size = strlen(what)};
    struct execution_request request = {.records = &job->record,
                                        .record_count = 1,
                                        .limits = *limits,
                                        .on_done = on_done,
                                        .context = job};
    job->execution = executor_run(t.executor, &request, err);
    if (job->execution == NULL)
        return NULL;
    t.started++;
    return job;
}

struct job_run *
start(const char *what)
{
    struct err err = ERR_INIT;
    struct job_run *job = start_with(what, &usual, &err);

    assert_non_null(job);
    return job;
}

/* Turns the loop until *counter is at least wanted. */
void
loop_until(const int *counter, int wanted)
{
    alarm(GUARD_S);
    while (*counter < wanted)
        assert_int_equal(event_base_loop(t.base, EVLOOP_ONCE), 0);
    alarm(0);
}

const struct result *
run(const char *what)
{
    struct job_run *job = start(what);

    loop_until(&t.ended, t.started);
    assert_int_equal(job->ends, 1);
    return &job->result;
}

uint32_t
warm_count(void)
{
    struct executor_stats stats;

    executor_stats(t.executor, &stats);
    return stats.warm;
}

void
loop_until_warm(uint32_t wanted)
{
    alarm(GUARD_S);
    while (warm_count() != wanted)
        assert_int_equal(event_base_loop(t.base, EVLOOP_ONCE), 0);
    alarm(0);
}
