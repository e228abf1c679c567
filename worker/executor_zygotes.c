/*
 * Zygotes, one after the other.
 *
 * All job processes of a zygote have its address layout and its hash seed, so none lives for ever:
 * at a certain age, or after a number of jobs, the next one boots beside it and takes over when it
 * is ready.
 *
 *     next ──READY──▶ current ──the next is READY──▶ retired ──its last process ended──▶ gone
 *
 * From then on only the new one forks; processes of the old one that wait are exchanged one by one
 * (executor_pool.c), those that run are left to end. A next zygote that does not get ready changes
 * nothing: it is tried again, and the current one goes on.
 */
#include <errno.h>
#include <stdlib.h>

#include "common/log.h"
#include "worker/executor_internal.h"

static struct generation *generation_new(struct executor *executor, struct err *err);

static void
generation_free(struct generation *generation)
{
    zygote_free(generation->zygote);
    free(generation);
}

/* ---- replacement ---- */

static void
arm_age_timer(struct executor *executor)
{
    uint64_t ms = executor->options.zygote_max_age_ms;
    struct timeval age = {.tv_sec = (time_t)(ms / 1000),
                          .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    if (ms != 0)
        evtimer_add(executor->age_timer, &age);
}

static void
boot_next(struct executor *executor)
{
    struct err err = ERR_INIT;

    if (executor->next != NULL)
        return;
    executor->next = generation_new(executor, &err);
    if (executor->next == NULL) {
        log_err(LOG_WARNING, "zygote_not_replaced", &err);
        arm_age_timer(executor);
    }
}

static void
on_age(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    boot_next(context);
}

void
zygotes_note_job(struct generation *generation)
{
    struct executor *executor = generation->executor;

    generation->job_count++;
    if (executor->options.zygote_max_jobs != 0 && generation == executor->current &&
        generation->job_count >= executor->options.zygote_max_jobs)
        boot_next(executor);
}

/* Nothing needs it any more. It says so itself when it has gone. */
static void
end_if_unused(struct generation *generation)
{
    if (generation->retired && !generation->ending && generation->process_count == 0) {
        generation->ending = true;
        zygote_retire(generation->zygote);
    }
}

void
zygotes_release(struct generation *generation)
{
    generation->process_count--;
    end_if_unused(generation);
}

static void
take_over(struct executor *executor)
{
    struct generation *old = executor->current;

    executor->current = executor->next;
    executor->next = NULL;
    executor->replaced++;
    old->retired = true;
    TAILQ_INSERT_TAIL(&executor->retired, old, link);
    end_if_unused(old);
}

/* ---- what a zygote says ---- */

static bool
is_accepted(struct generation *generation)
{
    const struct executor_options *options = &generation->executor->options;
    struct err err = ERR_INIT;

    if (options->accept == NULL ||
        options->accept(options->context, zygote_layer_reports(generation->zygote), &err) == 0)
        return true;
    zygote_refuse(generation->zygote, &err);
    return false;
}

static void
on_ready(void *context, uint64_t boot_us)
{
    struct generation *generation = context;
    struct executor *executor = generation->executor;

    if (generation->retired || !is_accepted(generation))
        return;
    if (generation == executor->next)
        take_over(executor);
    executor->dead = false;
    executor->boot_us = boot_us;
    arm_age_timer(executor);
    pool_refill_in(executor, 0);
    if (executor->options.on_state != NULL)
        executor->options.on_state(executor->options.context, NULL);
}

static void
on_forked(void *context, uint32_t serial, int pidfd)
{
    struct generation *generation = context;

    pool_forked(generation->executor, serial, pidfd);
}

static void
on_ended(void *context, const struct zygote_event *event)
{
    struct generation *generation = context;

    pool_ended(generation->executor, event);
}

/* Of the one that forks: jobs that wait are told, rather than left to wait for its restart. */
static void
current_died(struct executor *executor, const struct err *err)
{
    executor->dead = true;
    executor->deaths++;
    executor->last_failure = *err;
    pool_zygote_died(executor->current, err->text);
    execution_fail_all(&executor->waiting, err->text);
    if (executor->options.on_state != NULL)
        executor->options.on_state(executor->options.context, err);
}

static void
on_death(void *context, const struct err *err)
{
    struct generation *generation = context;
    struct executor *executor = generation->executor;

    if (generation == executor->current) {
        current_died(executor, err);
    } else if (generation == executor->next) {
        log_err(LOG_WARNING, "zygote_not_replaced", err);
    } else if (!generation->ending) {
        /* It had processes still; without them it is let go by zygotes_release(). */
        log_err(LOG_ERROR, "zygote_died", err);
        pool_zygote_died(generation, err->text);
    } else {
        TAILQ_REMOVE(&executor->retired, generation, link);
        generation_free(generation);
    }
}

/* ---- its control group ---- */

/* Waits with the pages that a job needs first, and the kernel's tables of them. */
#define WAITING_JOB_BYTES (UINT64_C(4) << 20)
/* Of a file that a program makes: a block begun, one of block numbers, name and node. */
#define FILE_BYTES        UINT64_C(12288)

/*
 * The sum of what the limits of each process allow it, so that jobs which keep within theirs never
 * meet it. It bounds what those do not count, and what a job takes that has got around them.
 */
static struct cgroup_limits
cgroup_limits(const struct executor *executor)
{
    const struct executor_options *options = &executor->options;
    const struct zygote_command *command = options->command;
    uint64_t job_bytes = ((uint64_t)options->most.memory_mb << 20) + options->most.work_bytes +
                         options->most.work_files * FILE_BYTES + command->job_bytes +
                         options->memory.input + 2 * options->memory.output +
                         options->memory.artifacts;

    return (struct cgroup_limits){
        .memory_bytes = command->own_bytes + options->slots * job_bytes +
                        executor->place_count * WAITING_JOB_BYTES,
        /* And itself. */
        .pids = 1 + (uint64_t)(command->pids != 0 ? command->pids : executor->place_count),
    };
}

/* ---- from the start to the end ---- */

static struct generation *
generation_new(struct executor *executor, struct err *err)
{
    struct generation *generation = calloc(1, sizeof(*generation));
    const struct zygote_hooks hooks = {.on_ready = on_ready,
                                       .on_forked = on_forked,
                                       .on_ended = on_ended,
                                       .on_death = on_death,
                                       .context = generation};
    const struct zygote_cgroup cgroup = {.tree = executor->options.cgroups,
                                         .limits = cgroup_limits(executor)};

    if (generation == NULL) {
        err_set(err, ERR_SYSTEM, ENOMEM, "cannot make a zygote");
        return NULL;
    }
    generation->executor = executor;
    generation->zygote =
        zygote_new(executor->base, executor->options.command, &cgroup, &hooks, err);
    if (generation->zygote == NULL) {
        free(generation);
        return NULL;
    }
    return generation;
}

int
zygotes_init(struct executor *executor, struct err *err)
{
    executor->age_timer = evtimer_new(executor->base, on_age, executor);
    if (executor->age_timer == NULL)
        return err_set(err, ERR_SYSTEM, ENOMEM, "cannot make an executor");
    executor->current = generation_new(executor, err);
    return executor->current != NULL ? 0 : -1;
}

void
zygotes_fini(struct executor *executor)
{
    struct generation *generation;

    if (executor->age_timer != NULL)
        event_free(executor->age_timer);
    if (executor->current != NULL)
        generation_free(executor->current);
    if (executor->next != NULL)
        generation_free(executor->next);
    while ((generation = TAILQ_FIRST(&executor->retired)) != NULL) {
        TAILQ_REMOVE(&executor->retired, generation, link);
        generation_free(generation);
    }
}
