/*
 * poll_oneoff: waiting for clocks and descriptors.
 *
 * Descriptors here never block: files, devices, the output streams are always ready. So either
 * something is ready now, or there are only clocks, and the earliest is slept for. Subscriptions
 * are read anew in each of the two passes; a guest that lets its events overlap them gets what it
 * wrote, within its own memory.
 */
#include <string.h>

#include "worker/wasi/clock.h"
#include "worker/wasi/descriptor.h"
#include "worker/wasi/functions.h"
#include "worker/wasi/guest.h"

struct poll {
    const char *subscriptions;
    char *events;
    uint32_t count;
    uint32_t event_count;
    uint64_t realtime, monotonic; /* when the call began */
};

static uint64_t
add_saturating(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static struct wasi_subscription
subscription_at(const struct poll *poll, uint32_t index)
{
    struct wasi_subscription subscription;

    memcpy(&subscription, poll->subscriptions + (size_t)index * sizeof(subscription),
           sizeof(subscription));
    return subscription;
}

/* The reading of the monotonic clock at which a subscription to a clock is due. */
static enum wasi_errno
clock_deadline(const struct poll *poll, const struct wasi_subscription *subscription,
               uint64_t *deadline)
{
    bool absolute = subscription->flags & WASI_SUBSCRIPTION_ABSTIME;

    if (subscription->id >= WASI_CLOCK_COUNT)
        return WASI_EINVAL;
    if (subscription->id > WASI_CLOCK_MONOTONIC)
        return WASI_ENOTSUP;
    if (!absolute)
        *deadline = add_saturating(poll->monotonic, subscription->timeout);
    else if (subscription->id == WASI_CLOCK_MONOTONIC)
        *deadline = subscription->timeout;
    else if (subscription->timeout <= poll->realtime)
        *deadline = 0;
    else
        *deadline = add_saturating(poll->monotonic, subscription->timeout - poll->realtime);
    return WASI_OK;
}

static void
describe_readable(const struct descriptor *descriptor, struct wasi_event *event)
{
    uint64_t size = descriptor->kind == DESCRIPTOR_NODE ? node_size(descriptor->node) : 0;

    if (descriptor_is(descriptor, NODE_FILE) && descriptor->offset < size)
        event->nbytes = size - descriptor->offset;
}

static void
descriptor_event(const struct wasi_subscription *subscription, struct wasi_event *event)
{
    bool reads = subscription->tag == WASI_EVENT_FD_READ;
    uint32_t rights =
        WASI_RIGHT_POLL_FD_READWRITE | (reads ? WASI_RIGHT_FD_READ : WASI_RIGHT_FD_WRITE);
    struct descriptor *descriptor;

    event->error = (uint16_t)descriptor_need(subscription->id, rights, &descriptor);
    if (event->error == WASI_OK && reads)
        describe_readable(descriptor, event);
    if (event->error == WASI_OK && !reads)
        event->nbytes = WASI_BLOCK_BYTES;
}

/* True when the subscription has an event to report at that time. */
static bool
is_due(const struct poll *poll, const struct wasi_subscription *subscription, uint64_t now,
       struct wasi_event *event)
{
    uint64_t deadline = 0;

    *event = (struct wasi_event){.userdata = subscription->userdata, .type = subscription->tag};
    switch (subscription->tag) {
    case WASI_EVENT_CLOCK:
        event->error = (uint16_t)clock_deadline(poll, subscription, &deadline);
        return event->error != WASI_OK || deadline <= now;
    case WASI_EVENT_FD_READ:
    case WASI_EVENT_FD_WRITE:
        descriptor_event(subscription, event);
        return true;
    default:
        event->error = WASI_EINVAL;
        return true;
    }
}

static void
report_due(struct poll *poll, uint64_t now)
{
    struct wasi_event event;

    for (uint32_t i = 0; i < poll->count; i++) {
        struct wasi_subscription subscription = subscription_at(poll, i);
        if (!is_due(poll, &subscription, now, &event))
            continue;
        memcpy(poll->events + (size_t)poll->event_count * sizeof(event), &event, sizeof(event));
        poll->event_count++;
    }
}

/* The earliest of the clocks; there is nothing else when nothing was due. */
static uint64_t
earliest_deadline(const struct poll *poll)
{
    uint64_t earliest = UINT64_MAX, deadline;

    for (uint32_t i = 0; i < poll->count; i++) {
        struct wasi_subscription subscription = subscription_at(poll, i);
        if (clock_deadline(poll, &subscription, &deadline) == WASI_OK && deadline < earliest)
            earliest = deadline;
    }
    return earliest;
}

uint32_t
wasi_poll_oneoff(uint32_t subscriptions, uint32_t events, uint32_t count, uint32_t ret_count)
{
    struct poll poll = {
        .subscriptions =
            guest_at(subscriptions, (uint64_t)count * sizeof(struct wasi_subscription)),
        .events = guest_at(events, (uint64_t)count * sizeof(struct wasi_event)),
        .count = count,
    };

    if (count == 0)
        return WASI_EINVAL;
    if (poll.subscriptions == NULL || poll.events == NULL ||
        !guest_has(ret_count, sizeof(uint32_t)))
        return WASI_EFAULT;
    poll.realtime = wasi_clock_now(WASI_CLOCK_REALTIME);
    poll.monotonic = wasi_clock_now(WASI_CLOCK_MONOTONIC);
    report_due(&poll, poll.monotonic);
    if (poll.event_count == 0) {
        wasi_clock_sleep_until(earliest_deadline(&poll));
        report_due(&poll, wasi_clock_now(WASI_CLOCK_MONOTONIC));
    }
    return guest_store_u32(ret_count, poll.event_count);
}
