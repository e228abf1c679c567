/*
 * One queue of threads that are ready, in the order in which they became so, and one list of
 * deadlines. A thread that waits picks who runs next; when nobody is ready it sleeps, in the host,
 * until the first deadline.
 */
#include "scheduler.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define NANOSECONDS_PER_SEC UINT64_C(1000000000)
#define DEADLOCK_STATUS     70

struct thread thread_first = {.id = 1};
struct thread *thread_running = &thread_first;

static struct thread_queue ready;
static struct thread *soonest; /* of those with a deadline */
static struct thread *dead;    /* has ended, its stack was in use until just now */
static int thread_count = 1;

static struct {
    int *flag, *other_flag;
    uint32_t interval_us;
    bool is_on;
} preemption;

static uint64_t
read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * NANOSECONDS_PER_SEC + (uint64_t)now.tv_nsec;
}

uint64_t
scheduler_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t
scheduler_cpu_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

bool
scheduler_is_needed(void)
{
    return thread_count > 1 || alarm_is_set();
}

/* ---- queues ---- */

static void
append(struct thread_queue *queue, struct thread *thread)
{
    thread->next = NULL;
    if (queue->last != NULL)
        queue->last->next = thread;
    else
        queue->first = thread;
    queue->last = thread;
}

static struct thread *
take_first(struct thread_queue *queue)
{
    struct thread *thread = queue->first;

    if (thread == NULL)
        return NULL;
    queue->first = thread->next;
    if (queue->first == NULL)
        queue->last = NULL;
    return thread;
}

static void
take_out(struct thread_queue *queue, struct thread *thread)
{
    struct thread *before = NULL, *at = queue->first;

    while (at != NULL && at != thread) {
        before = at;
        at = at->next;
    }
    if (at == NULL)
        return;
    if (before != NULL)
        before->next = at->next;
    else
        queue->first = at->next;
    if (queue->last == at)
        queue->last = before;
}

static void
add_deadline(struct thread *thread, uint64_t deadline_ns)
{
    struct thread *before = NULL, *after = soonest;

    while (after != NULL && after->deadline_ns <= deadline_ns) {
        before = after;
        after = after->later;
    }
    thread->deadline_ns = deadline_ns;
    thread->sooner = before;
    thread->later = after;
    if (before != NULL)
        before->later = thread;
    else
        soonest = thread;
    if (after != NULL)
        after->sooner = thread;
}

static void
drop_deadline(struct thread *thread)
{
    if (thread->deadline_ns == 0)
        return;
    if (thread->sooner != NULL)
        thread->sooner->later = thread->later;
    else
        soonest = thread->later;
    if (thread->later != NULL)
        thread->later->sooner = thread->sooner;
    thread->deadline_ns = 0;
}

static void
make_ready(struct thread *thread, bool timed_out)
{
    drop_deadline(thread);
    thread->condition = NULL;
    thread->timed_out = timed_out;
    append(&ready, thread);
}

static void
wake(struct thread *thread, bool timed_out)
{
    if (thread->condition != NULL)
        take_out(thread->condition, thread);
    make_ready(thread, timed_out);
}

static void
wake_late(void)
{
    if (soonest == NULL)
        return;
    for (uint64_t now = scheduler_now_ns(); soonest != NULL && soonest->deadline_ns <= now;)
        wake(soonest, true);
}

/* Handlers of signals run in the first thread: it is woken from whatever it waits for. */
static void
send_due_signals(void)
{
    int signal_number;

    while ((signal_number = alarm_take_due()) != 0) {
        raise(signal_number);
        if (thread_first.condition != NULL || thread_first.deadline_ns != 0)
            wake(&thread_first, false);
    }
}

/* ---- going from one to another ---- */

__attribute__((weak)) void
pthread_deadlock_np(int threads)
{
    fprintf(stderr, "deadlock: all %d threads wait\n", threads);
}

static _Noreturn void
end_deadlock(void)
{
    static bool reporting;
    struct thread *self = thread_running;

    /* The report may run code that waits in turn. */
    if (!reporting) {
        reporting = true;
        if (self->condition != NULL)
            take_out(self->condition, self);
        self->condition = NULL;
        pthread_deadlock_np(thread_count);
    }
    _Exit(DEADLOCK_STATUS);
}

static struct thread *
next_ready(void)
{
    for (;;) {
        send_due_signals();
        wake_late();
        struct thread *thread = take_first(&ready);
        if (thread != NULL)
            return thread;
        uint64_t until = alarm_deadline_ns();
        if (soonest == NULL && until == 0)
            end_deadlock();
        if (soonest != NULL && (until == 0 || soonest->deadline_ns < until))
            until = soonest->deadline_ns;
        host_sleep_until(until);
    }
}

static void
bury_dead(void)
{
    if (dead != NULL)
        thread_bury(dead);
    dead = NULL;
}

static void
go_on_with_next(void)
{
    struct thread *self = thread_running, *next = next_ready();

    if (next == self)
        return;
    self->error_number = errno;
    thread_running = next;
    host_switch(next);
    errno = self->error_number;
    bury_dead();
}

static void
set_preemption(bool on)
{
    if (preemption.flag == NULL)
        return;
    host_preempt(preemption.flag, preemption.other_flag, on ? preemption.interval_us : 0);
    preemption.is_on = on;
}

void
scheduler_tick_if_needed(void)
{
    if (!preemption.is_on && scheduler_is_needed())
        set_preemption(true);
}

void
scheduler_start(struct thread *thread)
{
    append(&ready, thread);
    thread_count++;
    scheduler_tick_if_needed();
}

/* Every thread but the first begins here. */
__attribute__((export_name("retort_fiber_main"))) void
retort_fiber_main(struct thread *self)
{
    bury_dead();
    errno = 0;
    self->start(self->argument);
    scheduler_end();
}

_Noreturn void
scheduler_end(void)
{
    thread_count--;
    struct thread *next = next_ready();
    dead = thread_running;
    thread_running = next;
    host_end(next);
}

bool
scheduler_wait(struct thread_queue *condition, uint64_t deadline_ns)
{
    struct thread *self = thread_running;

    self->condition = condition;
    if (condition != NULL)
        append(condition, self);
    if (deadline_ns > 0)
        add_deadline(self, deadline_ns);
    go_on_with_next();
    return self->timed_out;
}

void
scheduler_wake(struct thread_queue *condition)
{
    struct thread *thread = take_first(condition);

    if (thread != NULL)
        make_ready(thread, false);
}

void
scheduler_yield(void)
{
    /* Once after the last of the others has ended, not with each one that does. */
    if (!scheduler_is_needed() && preemption.is_on)
        set_preemption(false);
    if (!scheduler_is_needed())
        return;
    send_due_signals();
    wake_late();
    if (ready.first == NULL)
        return;
    append(&ready, thread_running);
    go_on_with_next();
}

void
pthread_preempt_np(int *flag, int *other_flag, unsigned long interval_us)
{
    preemption.flag = flag;
    preemption.other_flag = other_flag;
    preemption.interval_us = interval_us == 0           ? 1
                             : interval_us > UINT32_MAX ? UINT32_MAX
                                                        : (uint32_t)interval_us;
    if (preemption.is_on)
        set_preemption(true);
}
