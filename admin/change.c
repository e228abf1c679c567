/* cancel and requeue: what is done to jobs, by the queue's own scripts. */
#include <stdio.h>
#include <string.h>

#include "admin/command.h"
#include "admin/element.h"
#include "admin/fleet.h"
#include "admin/record.h"
#include "common/queue_admin.h"

struct change {
    char state[32];
    bool missing;
    struct queue_counts counts;
    struct err failed;
};

static void
on_state(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct change *change = context;
    size_t size;
    const char *state = redis_reply_bytes(reply, &size);

    if (err)
        change->failed = *err;
    else
        (void)snprintf(change->state, sizeof(change->state), "%s", state ? state : "unknown");
}

static void
on_counts(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct change *change = context;

    if (err)
        change->failed = *err;
    change->missing = redis_reply_is_nil(reply);
    queue_counts_read(&change->counts, reply);
}

static int
wait_for(struct command *command, struct change *change, struct err *err)
{
    if (session_wait(command->session, err) < 0)
        return -1;
    if (change->failed.code == ERR_NONE)
        return 0;
    *err = change->failed;
    return -1;
}

typedef int change_fn(const struct queue_admin *admin, const char *id, redis_reply_fn *on_reply,
                      void *context, struct err *err);

static int
check_id(const char *id, struct err *err)
{
    return element_is_id(id)
               ? 0
               : err_set(err, ERR_INVALID, 0, "\"%.40s\" is no id of 32 digits 0-9 a-f", id);
}

/* Does it to the job that is the command's argument; *change has its state before. */
static int
change_job(struct command *command, change_fn *how, struct change *change, struct err *err)
{
    const struct queue_admin admin = {command->session->connection, command->session->prefix};
    const char *id = command->options->argument;

    if (check_id(id, err) < 0 || how(&admin, id, on_state, change, err) < 0 ||
        wait_for(command, change, err) < 0)
        return -1;
    if (strcmp(change->state, "missing") == 0)
        return err_set(err, ERR_INVALID, 0, "there is no job %s", id);
    return 0;
}

static void
report_change(struct report *report, const char *name, const char *id, const char *before)
{
    report_record(report, name);
    report_string(report, "id", id);
    report_string(report, "state_before", before);
}

int
command_cancel(struct command *command, struct err *err)
{
    struct change change = {.missing = false};
    const char *id = command->options->argument;

    if (change_job(command, queue_admin_cancel, &change, err) < 0)
        return -1;
    if (strcmp(change.state, "queued") != 0 && strcmp(change.state, "running") != 0)
        return err_set(err, ERR_INVALID, 0, "%s is %s: there is nothing to cancel", id,
                       change.state);
    report_change(command->report, "cancelled", id, change.state);
    return 0;
}

static int
requeue_worker(struct command *command, const char *id, struct err *err)
{
    const struct queue_admin admin = {command->session->connection, command->session->prefix};
    struct change change = {.missing = false};
    struct fleet fleet;

    if (queue_name_check("worker", id, JOB_WORKER_SIZE, err) < 0 ||
        queue_admin_evict(&admin, id, on_counts, &change, err) < 0 ||
        wait_for(command, &change, err) < 0)
        return -1;
    if (change.missing) {
        if (fleet_read(&fleet, command->session, err) == 0)
            (void)fleet_no_such_worker(&fleet, id, err);
        fleet_fini(&fleet);
        return -1;
    }
    report_record(command->report, "requeued");
    report_string(command->report, "worker", id);
    report_int(command->report, "retried", change.counts.retried);
    report_int(command->report, "returned", change.counts.returned);
    report_int(command->report, "lost", change.counts.lost);
    report_int(command->report, "expired", change.counts.expired);
    report_int(command->report, "removed", change.counts.removed);
    return 0;
}

/* What came of it: queued again, or lost. */
static int
report_requeued(struct command *command, const char *id, struct err *err)
{
    struct record record;

    record_ask(command->session, id, &record);
    if (session_wait(command->session, err) < 0)
        return -1;
    report_change(command->report, "requeued", id, "running");
    report_string(command->report, "state", record.state);
    record_report_int(command->report, "attempts", record.attempts);
    return 0;
}

int
command_requeue(struct command *command, struct err *err)
{
    struct change change = {.missing = false};
    const char *id = command->options->argument;

    if (command->options->worker)
        return requeue_worker(command, command->options->worker, err);
    if (change_job(command, queue_admin_requeue, &change, err) < 0)
        return -1;
    if (strcmp(change.state, "running") != 0)
        return err_set(err, ERR_INVALID, 0, "%s is %s, not running: there is nothing to requeue",
                       id, change.state);
    return report_requeued(command, id, err);
}
