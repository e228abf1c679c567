/*
 * Runs jobs: a pool of warm job processes over a zygote, and what happens to one job in it.
 *
 *     struct executor *executor = executor_new(base, &options, &err);
 *     ...
 *     execution_records_init(&records, &job, &err);
 *     struct execution_request request = {
 *         .records = records.list, .record_count = records.count,
 *         .limits = job.limits, .on_done = on_done, .context = mine};
 *     struct execution *execution = executor_run(executor, &request, &err);
 *     ...
 *     static void on_done(void *context, struct result *result) { ...; result_fini(result); }
 *
 * A job process is forked ahead of need and waits; a job that finds none waits for the next.
 * Nothing here blocks; every callback comes from the loop, never from within the call that
 * causes it.
 */
#ifndef RETORT_EXECUTOR_H
#define RETORT_EXECUTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "common/err.h"
#include "common/job.h"
#include "worker/job_memory.h"
#include "worker/zygote.h"

struct executor_options {
    const struct zygote_command *command; /* borrowed for the executor's life */
    uint32_t slots;                       /* jobs at the same time; at least 1 */
    uint32_t spare;                       /* warm processes kept beyond one for each slot */
    /* All input records of a job together; each stream, which caps limits.output_bytes; artifacts,
     * 0: what is left in /work/outputs is not wanted. */
    struct job_memory_sizes memory;
    struct cgroup_tree *cgroups; /* for those of zygotes; borrowed. NULL: they get none */
    struct job_limits most;      /* of any job, for the limits of those groups */
    /* When a zygote is replaced by a new one: its age, jobs given to it. 0: never. */
    uint64_t zygote_max_age_ms, zygote_max_jobs;
    /*
     * Asked of each zygote that is ready, before it forks: what its start could not have
     * (LAYER_COUNT reports). -1: it is ended and started again, as if it had died of err. NULL: all
     * are taken.
     */
    int (*accept)(void *context, const struct layer_report *reports, struct err *err);
    /* The zygote became ready (err NULL), or died (err says why); may be NULL. */
    void (*on_state)(void *context, const struct err *err);
    void *context;
};

struct executor_stats {
    bool ready; /* the zygote has booted */
    int zygote_pid;
    uint64_t boot_us;                         /* of the zygote that runs, or ran last */
    uint32_t running;                         /* jobs, those that wait for a process included */
    uint32_t warm;                            /* processes that wait for a job */
    uint32_t zygote_deaths;                   /* since the executor was made */
    uint32_t zygotes_replaced;                /* the same; by plan */
    struct err last_failure;                  /* why the zygote died last; ERR_NONE: it never did */
    const struct layer_report *layer_reports; /* of the zygote; zygote_layer_reports() */
};

/* One input record: see worker/job_memory.h. */
struct execution_record {
    enum job_record_type type;
    const char *name; /* NUL-terminated guest path, or NULL */
    const void *data;
    size_t size;
};

struct execution_request {
    const struct execution_record *records; /* borrowed, with all they point to, until on_done */
    size_t record_count;
    struct job_limits limits;
    /*
     * Called exactly once unless executor_free() comes first. *result's contents are the
     * receiver's; id, queue_us and worker are left for it to fill in.
     */
    void (*on_done)(void *context, struct result *result);
    void *context;
};

/* A job between executor_run() and on_done; invalid when on_done has been called. */
struct execution;
struct executor;

struct executor *executor_new(struct event_base *base, const struct executor_options *options,
                              struct err *err);
/* Kills every job and the zygote; calls nothing back. */
void executor_free(struct executor *executor);
void executor_stats(const struct executor *executor, struct executor_stats *stats);

/*
 * Runs a job. While the zygote boots (or boots again) the job waits for it; the wall clock runs
 * from the moment that the program starts. NULL: QUEUE_FULL when all slots are taken, TOO_LARGE
 * when the input does not fit, SANDBOX_ERROR when the zygote has died before it was ever ready.
 */
struct execution *executor_run(struct executor *executor, const struct execution_request *request,
                               struct err *err);
/* Ends it with VERDICT_CANCELLED; on_done follows. */
void execution_cancel(struct execution *execution);
/* What the running job has written so far: borrowed until the next turn of the loop. */
const char *execution_output(const struct execution *execution, int stream, size_t *size);

#define EXECUTION_WORK      "/work/"
#define EXECUTION_MAIN_PATH EXECUTION_WORK JOB_MAIN_NAME

/*
 * Records of a queue's job: its code as /work/main.py, the argument of that name, its input, its
 * further arguments, environment and files. Borrows from job. Most jobs have none of these three,
 * and then nothing is on the heap.
 */
#define EXECUTION_FIXED_RECORDS 3
struct execution_records {
    struct execution_record *list;
    size_t count;
    struct execution_record fixed[EXECUTION_FIXED_RECORDS];
    char *paths; /* of the files, one after the other */
};
/* Do not move it afterwards. execution_records_fini() also when it failed. */
int execution_records_init(struct execution_records *records, const struct job *job,
                           struct err *err);
void execution_records_fini(struct execution_records *records);

/*
 * input_capacity that is enough for jobs with at most so much code and input, and such files; and
 * with the arguments and the environment that any job may have.
 */
size_t execution_input_capacity(size_t max_code_bytes, size_t max_stdin_bytes, size_t max_files,
                                size_t max_files_bytes);

#endif
