/*
 * Sleeping lets other threads run.
 *
 * Every sleep of wasi-libc (nanosleep, usleep, poll and select without descriptors) ends in
 * poll_oneoff with one clock; the linker puts this function in its place (--wrap). Descriptors are
 * always ready, so other calls return at once and go to the host as they are. A timer's signal ends
 * the first thread's sleep (alarm.c).
 */
#include <errno.h>
#include <sched.h>
#include <time.h>
#include <wasi/api.h>

#include "scheduler.h"

__wasi_errno_t __real___wasi_poll_oneoff(const __wasi_subscription_t *in, __wasi_event_t *out,
                                         __wasi_size_t count, __wasi_size_t *events);
__wasi_errno_t __wrap___wasi_poll_oneoff(const __wasi_subscription_t *in, __wasi_event_t *out,
                                         __wasi_size_t count, __wasi_size_t *events);
int __real_clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
                           struct timespec *remaining);
int __wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
                           struct timespec *remaining);

static bool interrupted; /* the last sleep, by a timer's signal */

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
    if (!scheduler_is_needed() || count != 1 || in->u.tag != __WASI_EVENTTYPE_CLOCK ||
        in->u.u.clock.id > __WASI_CLOCKID_MONOTONIC)
        return __real___wasi_poll_oneoff(in, out, count, events);
    interrupted = !scheduler_wait(NULL, deadline_of(&in->u.u.clock));
    if (interrupted)
        return __WASI_ERRNO_INTR;
    *out = (__wasi_event_t){.userdata = in->userdata, .type = __WASI_EVENTTYPE_CLOCK};
    *events = 1;
    return 0;
}

/* wasi-libc's own calls every error ENOTSUP. */
int
__wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
                       struct timespec *remaining)
{
    interrupted = false;
    int error = __real_clock_nanosleep(clock, flags, request, remaining);
    return interrupted ? EINTR : error;
}

int
sched_yield(void)
{
    scheduler_yield();
    return 0;
}
