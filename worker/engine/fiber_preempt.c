/*
 * Preemption: a timer's signal stores to two flags in linear memory, which the guest looks at when
 * it can.
 *
 * The timer counts CPU time. A guest that sleeps is not woken by it, one that waits for a processor
 * loses nothing, and no call that blocks is interrupted. It runs only while the guest says so: one
 * with a single fiber never pays for it.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "worker/engine/fiber_internal.h"

#define TIMER_SIGNAL         SIGALRM
#define INTERVAL_MIN_US      1000u
#define INTERVAL_MAX_US      1000000u
#define MICROSECONDS_PER_SEC 1000000u

static timer_t timer;
static bool has_timer;
/* In linear memory. Written while the timer stands still, or to NULL. */
static uint32_t *volatile flag_places[2];

static void
on_timer(int signal_number)
{
    (void)signal_number;
    for (int i = 0; i < 2; i++) {
        uint32_t *place = flag_places[i];
        if (place != NULL)
            *(volatile uint32_t *)place = 1;
    }
}

int
fiber_preempt_install(struct err *err)
{
    /* On the signal stack: a fiber's own may have no room. */
    struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_ONSTACK | SA_RESTART};

    sigemptyset(&action.sa_mask);
    if (sigaction(TIMER_SIGNAL, &action, NULL) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot handle signal %d", TIMER_SIGNAL);
    return 0;
}

int
fiber_preempt_make_timer(struct err *err)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = TIMER_SIGNAL};

    if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot make the preemption timer");
    has_timer = true;
    return 0;
}

bool
fiber_preempt_has_timer(void)
{
    return has_timer;
}

static void
set_timer(uint32_t interval_us)
{
    struct timespec interval = {
        .tv_sec = interval_us / MICROSECONDS_PER_SEC,
        .tv_nsec = (long)(interval_us % MICROSECONDS_PER_SEC) * 1000,
    };
    struct itimerspec when = {.it_value = interval, .it_interval = interval};

    /* Only arguments that are wrong are refused. */
    (void)timer_settime(timer, 0, &when, NULL);
}

void
fiber_preempt_start(uint32_t *const flags[2], uint32_t interval_us)
{
    set_timer(0);
    flag_places[0] = flags[0];
    flag_places[1] = flags[1];
    if (interval_us == 0)
        return;
    if (interval_us < INTERVAL_MIN_US)
        interval_us = INTERVAL_MIN_US;
    if (interval_us > INTERVAL_MAX_US)
        interval_us = INTERVAL_MAX_US;
    set_timer(interval_us);
}
