#include <string.h>

#include "admin/command.h"
#include "admin/fleet.h"
#include "common/clock.h"

#define ORDER        "!drain"
/* A worker looks at its channel all the time; the order must not meet one that is started later. */
#define ORDER_LIVES  "60000"
#define LOOK_EACH_MS 100

static void
on_ordered(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct err *failed = context;

    if (err && reply)
        *failed = *err;
}

static int
give_order(struct session *session, const char *worker, struct err *err)
{
    struct queue_key key = session_key(session, "cancel:", worker);
    struct err failed = ERR_INIT;

    session_ask(session, (const char *const[]){"LPUSH", key.text, ORDER, NULL}, on_ordered,
                &failed);
    session_ask(session, (const char *const[]){"PEXPIRE", key.text, ORDER_LIVES, NULL}, on_ordered,
                &failed);
    if (session_wait(session, err) < 0)
        return -1;
    if (failed.code == ERR_NONE)
        return 0;
    *err = failed;
    return err_wrap(err, "%s", worker);
}

static void
report_left(struct report *report, const char *worker, uint64_t since_us)
{
    report_record(report, "drained");
    report_string(report, "worker", worker);
    report_ms(report, "took_ms", (int64_t)((clock_monotonic_us() - since_us) / 1000));
}

/* 1: it has left the registry; 0: not yet; -1. */
static int
look(struct session *session, const char *id, int64_t *in_flight, struct err *err)
{
    struct fleet fleet;
    int result = fleet_read(&fleet, session, err);

    if (result == 0) {
        const struct fleet_worker *worker = fleet_find_worker(&fleet, id);
        result = !worker || worker->beat_ms < 0;
        *in_flight = worker ? worker->in_flight : 0;
    }
    fleet_fini(&fleet);
    return result;
}

static int
wait_until_left(struct command *command, const char *id, struct err *err)
{
    uint64_t begun_us = clock_monotonic_us();
    uint64_t limit_us = command->options->timeout_s * UINT64_C(1000000);
    int64_t in_flight = 0;

    for (;;) {
        int left = look(command->session, id, &in_flight, err);
        if (left < 0)
            return -1;
        if (left > 0) {
            report_left(command->report, id, begun_us);
            return 0;
        }
        if (clock_monotonic_us() - begun_us > limit_us)
            return err_set(
                err, ERR_UNAVAILABLE, 0,
                "%s has been told to drain, and has not left within %u s; it has %d jobs", id,
                (unsigned)command->options->timeout_s, (int)in_flight);
        if (session_sleep(command->session, LOOK_EACH_MS, err) < 0)
            return -1;
    }
}

/* Whether there is somebody who would hear the order. */
static int
check_worker(struct session *session, const char *id, struct err *err)
{
    struct fleet fleet;
    int result = fleet_read(&fleet, session, err);

    if (result == 0) {
        const struct fleet_worker *worker = fleet_find_worker(&fleet, id);
        if (!worker)
            result = fleet_no_such_worker(&fleet, id, err);
        else if (!fleet_worker_lives(&fleet, worker))
            result =
                err_set(err, ERR_UNAVAILABLE, 0, "%s is dead; requeue --worker takes its jobs", id);
    }
    fleet_fini(&fleet);
    return result;
}

int
command_drain(struct command *command, struct err *err)
{
    const char *id = command->options->argument;

    if (queue_name_check("worker", id, JOB_WORKER_SIZE, err) < 0 ||
        check_worker(command->session, id, err) < 0 || give_order(command->session, id, err) < 0)
        return -1;
    return wait_until_left(command, id, err);
}
