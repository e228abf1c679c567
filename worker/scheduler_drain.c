/*
 * Draining: no more jobs are taken, those that run may end; shortly before the time is up what
 * still runs is killed and handed back to the queue, for another worker.
 */
#include "worker/scheduler_internal.h"

/* Of the time for draining: when it is left, what still runs is handed back. */
#define HAND_BACK_MS 1000

static void
end_drain(struct scheduler *scheduler)
{
    if (scheduler->drained)
        return;
    scheduler->drained = true;
    (void)event_del(scheduler->drain_timer);
    scheduler->on_drained(scheduler->drain_context);
}

void
scheduler_check_drained(struct scheduler *scheduler)
{
    if (scheduler->drain_timer && scheduler_busy(scheduler) == 0)
        end_drain(scheduler);
}

/* First time: the jobs' time is up. Second time: so is that of handing them back. */
static void
on_drain_timer(evutil_socket_t fd, short events, void *context)
{
    struct scheduler *scheduler = context;
    struct timeval left = {.tv_sec = scheduler->hand_back_ms / 1000,
                           .tv_usec = scheduler->hand_back_ms % 1000 * 1000};
    struct assignment *assignment;

    (void)fd;
    (void)events;
    if (scheduler->stopped || scheduler_busy(scheduler) == 0) {
        end_drain(scheduler);
        return;
    }
    scheduler->stopped = true;
    for (assignment = LIST_FIRST(&scheduler->assignments); assignment;
         assignment = LIST_NEXT(assignment, link))
        assignment_stop(assignment, ERR_WORKER_LOST);
    (void)evtimer_add(scheduler->drain_timer, &left);
}

void
scheduler_drain(struct scheduler *scheduler, uint32_t timeout_ms, void (*on_drained)(void *context),
                void *context)
{
    uint32_t hand_back_ms = timeout_ms / 4 < HAND_BACK_MS ? timeout_ms / 4 : HAND_BACK_MS;
    uint32_t wait_ms = scheduler_busy(scheduler) == 0 ? 0 : timeout_ms - hand_back_ms;
    struct timeval after = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

    if (scheduler->drain_timer)
        return;
    scheduler->hand_back_ms = hand_back_ms;
    scheduler->on_drained = on_drained;
    scheduler->drain_context = context;
    scheduler->drain_timer = evtimer_new(scheduler->base, on_drain_timer, scheduler);
    if (!scheduler->drain_timer || evtimer_add(scheduler->drain_timer, &after) < 0) {
        on_drained(context); /* no memory to wait with */
        return;
    }
    for (size_t i = 0; i < scheduler->lane_count; i++)
        scheduler_update_capacity(&scheduler->lanes[i]);
}
