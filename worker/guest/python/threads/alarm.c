/*
 * Timers that send the program a signal. Nothing interrupts a guest: the scheduler looks whether
 * one is due when threads wait, and at the ticks by which it has them take turns
 * (pthread_preempt_np), which it keeps up for as long as a timer is set.
 */
#include <errno.h>
#include <itimer.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "scheduler.h"

#define TIMERS               3
#define MICROSECONDS_PER_SEC 1000000
#define NANOSECONDS_PER_USEC UINT64_C(1000)

static struct {
    uint64_t due_ns; /* 0: not set */
    uint64_t interval_ns;
} timers[TIMERS];

static const int signals[TIMERS] = {
    [ITIMER_REAL] = SIGALRM,
    [ITIMER_VIRTUAL] = SIGVTALRM,
    [ITIMER_PROF] = SIGPROF,
};

static uint64_t
now_ns(int which)
{
    return which == ITIMER_REAL ? scheduler_now_ns() : scheduler_cpu_ns();
}

/* ---- what the scheduler asks ---- */

bool
alarm_is_set(void)
{
    return timers[ITIMER_REAL].due_ns != 0 || timers[ITIMER_VIRTUAL].due_ns != 0 ||
           timers[ITIMER_PROF].due_ns != 0;
}

uint64_t
alarm_deadline_ns(void)
{
    return timers[ITIMER_REAL].due_ns;
}

int
alarm_take_due(void)
{
    for (int which = 0; which < TIMERS; which++) {
        uint64_t due = timers[which].due_ns, interval = timers[which].interval_ns;
        if (due == 0)
            continue;
        uint64_t now = now_ns(which);
        if (now < due)
            continue;
        /* Those that were missed are one signal, as natively. */
        timers[which].due_ns = interval == 0 ? 0 : due + ((now - due) / interval + 1) * interval;
        return signals[which];
    }
    return 0;
}

/* ---- POSIX ---- */

static bool
is_time(const struct timeval *value)
{
    return value->tv_sec >= 0 && value->tv_usec >= 0 && value->tv_usec < MICROSECONDS_PER_SEC;
}

static uint64_t
ns_of(const struct timeval *value)
{
    const uint64_t longest = UINT64_MAX / 4 / (NANOSECONDS_PER_USEC * MICROSECONDS_PER_SEC);
    uint64_t seconds = (uint64_t)value->tv_sec < longest ? (uint64_t)value->tv_sec : longest;

    return (seconds * MICROSECONDS_PER_SEC + (uint64_t)value->tv_usec) * NANOSECONDS_PER_USEC;
}

static struct timeval
timeval_of(uint64_t ns)
{
    uint64_t microseconds = (ns + NANOSECONDS_PER_USEC - 1) / NANOSECONDS_PER_USEC;

    return (struct timeval){
        .tv_sec = (time_t)(microseconds / MICROSECONDS_PER_SEC),
        .tv_usec = (suseconds_t)(microseconds % MICROSECONDS_PER_SEC),
    };
}

int
getitimer(int which, struct itimerval *value)
{
    if (which < 0 || which >= TIMERS) {
        errno = EINVAL;
        return -1;
    }
    uint64_t due = timers[which].due_ns, now = due != 0 ? now_ns(which) : 0;
    /* One that is due and has not been looked at is as good as there. */
    value->it_value = timeval_of(due == 0 ? 0 : due > now ? due - now : 1);
    value->it_interval = timeval_of(timers[which].interval_ns);
    return 0;
}

int
setitimer(int which, const struct itimerval *restrict value, struct itimerval *restrict old)
{
    if (which < 0 || which >= TIMERS || !is_time(&value->it_value) ||
        !is_time(&value->it_interval)) {
        errno = EINVAL;
        return -1;
    }
    if (old != NULL)
        (void)getitimer(which, old);
    uint64_t first = ns_of(&value->it_value);
    timers[which].due_ns = first == 0 ? 0 : now_ns(which) + first;
    timers[which].interval_ns = first == 0 ? 0 : ns_of(&value->it_interval);
    scheduler_tick_if_needed();
    return 0;
}

unsigned
alarm(unsigned seconds)
{
    struct itimerval value = {.it_value.tv_sec = seconds}, old;

    (void)setitimer(ITIMER_REAL, &value, &old);
    return (unsigned)old.it_value.tv_sec + (old.it_value.tv_usec > 0);
}

int
pause(void)
{
    (void)scheduler_wait(NULL, UINT64_MAX);
    errno = EINTR;
    return -1;
}
