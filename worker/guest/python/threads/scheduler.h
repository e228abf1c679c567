/*
 * The scheduler: which thread runs, which are ready, which wait for a condition or for a time.
 *
 * A thread is a fiber of the host (worker/engine/fiber_abi.h). All of this is the guest's own, in
 * its memory; the host is asked only to make a fiber and to go on with one.
 */
#ifndef RETORT_THREADS_SCHEDULER_H
#define RETORT_THREADS_SCHEDULER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define THREAD_KEYS 32

struct thread {
    struct thread *next;            /* in the one queue that it is in, if any */
    struct thread *sooner, *later;  /* in the list of deadlines */
    struct thread_queue *condition; /* the queue, when it is a condition's */
    uint64_t deadline_ns;           /* of the monotonic clock; 0: none */
    bool timed_out;
    int error_number; /* errno, while another thread runs */
    int id;
    uint32_t slot;
    void *(*start)(void *);
    void *argument;
    const void *values[THREAD_KEYS];
};

/* All zeroes: empty. */
struct thread_queue {
    struct thread *first, *last;
};

extern struct thread thread_first;
extern struct thread *thread_running;

uint64_t scheduler_now_ns(void);
uint64_t scheduler_cpu_ns(void);
/* Is there a second thread, be it ready or not, or a timer (alarm.c)? */
bool scheduler_is_needed(void);
/* To be called when it has become so. */
void scheduler_tick_if_needed(void);

/* Counts a thread in, and makes it ready for its first run. */
void scheduler_start(struct thread *thread);
/* Ends the running thread. */
_Noreturn void scheduler_end(void);

/*
 * Waits in that queue (NULL: in none) until woken, or for the time. True: it was the time. A
 * timer's signal wakes the first thread wherever it waits.
 */
bool scheduler_wait(struct thread_queue *condition, uint64_t deadline_ns);
/* Makes the first in the queue ready, if there is one. */
void scheduler_wake(struct thread_queue *condition);
/* Lets those that are ready run first. */
void scheduler_yield(void);

/* ---- thread.c ---- */

/* The thread has ended and another runs: its slot may be used again. */
void thread_bury(struct thread *thread);
/* The key is going to mean something else. */
void thread_forget_values(pthread_key_t key);

/* ---- alarm.c ---- */

bool alarm_is_set(void);
/* When the next signal is due by the monotonic clock; 0: never. Others are due by CPU time. */
uint64_t alarm_deadline_ns(void);
/* The signal that is due, once; 0: none is. */
int alarm_take_due(void);

/* ---- host.c: requests to the host; what it refuses, with its errno ---- */

int host_new_fiber(const struct thread *thread);
void host_switch(const struct thread *to);
_Noreturn void host_end(const struct thread *next);
void host_preempt(int *flag, int *other_flag, uint32_t interval_us);
void host_sleep_until(uint64_t deadline_ns);

#endif
