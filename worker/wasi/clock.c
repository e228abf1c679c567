#include "worker/wasi/clock.h"

#include <errno.h>
#include <time.h>

#define NANOSECONDS_PER_SEC 1000000000ull

uint64_t
wasi_clock_now(enum wasi_clock clock)
{
    static const clockid_t ids[WASI_CLOCK_COUNT] = {
        [WASI_CLOCK_REALTIME] = CLOCK_REALTIME,
        [WASI_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
        [WASI_CLOCK_PROCESS_CPU] = CLOCK_PROCESS_CPUTIME_ID,
        [WASI_CLOCK_THREAD_CPU] = CLOCK_THREAD_CPUTIME_ID,
    };
    struct timespec now = {0};

    clock_gettime(ids[clock], &now);
    return (uint64_t)now.tv_sec * NANOSECONDS_PER_SEC + (uint64_t)now.tv_nsec;
}

void
wasi_clock_sleep_until(uint64_t monotonic_ns)
{
    struct timespec until = {
        .tv_sec = (time_t)(monotonic_ns / NANOSECONDS_PER_SEC),
        .tv_nsec = (long)(monotonic_ns % NANOSECONDS_PER_SEC),
    };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        continue;
}
