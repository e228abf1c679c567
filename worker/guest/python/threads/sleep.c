/*
 * Sleeping lets other threads run.
 *
 * Every sleep of wasi-libc (nanosleep, usleep, poll and select without descriptors) ends in
 * poll_oneoff with one clock; the linker puts this function in its place (--wrap). Descriptors are
 * always ready, so other calls return at once and go to the host as they are.
 */
#include <sched.h>
#include <wasi/api.h>

#include "scheduler.h"

__wasi_errno_t __real___wasi_poll_oneoff(const __wasi_subscription_t *in, __wasi_event_t *out,
                                         __wasi_size_t count, __wasi_size_t *events);
__wasi_errno_t __wrap___wasi_poll_oneoff(const __wasi_subscription_t *in, __wasi_event_t *out,
                                         __wasi_size_t count, __wasi_size_t *events);

/* The clock's deadline by the monotonic clock; never 0. */
static uint64_t
deadline_of(const __wasi_subscription_clock_t *clock)
{
    uint64_t now = scheduler_now_ns(), left = clock->timeout;

    if (clock->flags & __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME) {
        __wasi_timestamp_t start = now;
        if (clock->id != __WASI_CLOCKID_MONOTONIC)
            (void)__wasi_clock_time_get(clock->id, 0, &start);
        left = clock->timeout > start ? clock->timeout - start : 0;
    }
    return left < UINT64_MAX - now ? now + left : UINT64_MAX;
}

__wasi_errno_t
__wrap___wasi_poll_oneoff(const __wasi_subscription_t *in, __wasi_event_t *out, __wasi_size_t count,
                          __wasi_size_t *events)
{
    if (!scheduler_has_others() || count != 1 || in->u.tag != __WASI_EVENTTYPE_CLOCK ||
        in->u.u.clock.id > __WASI_CLOCKID_MONOTONIC)
        return __real___wasi_poll_oneoff(in, out, count, events);
    scheduler_wait(NULL, deadline_of(&in->u.u.clock));
    *out = (__wasi_event_t){.userdata = in->userdata, .type = __WASI_EVENTTYPE_CLOCK};
    *events = 1;
    return 0;
}

int
sched_yield(void)
{
    scheduler_yield();
    return 0;
}
