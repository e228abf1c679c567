/*
 * The part of POSIX threads that CPython is written against, for a guest whose threads are fibers.
 *
 * CPython declares the same functions itself (Include/cpython/pthread_stubs.h); a directory of its
 * own keeps this header from its configure script, which would expect the rest of POSIX with it.
 *
 * One thread runs at a time and another takes over only where one waits, sleeps, yields or ends.
 * Hence a mutex never has to be waited for: nobody does one of these while holding it, but for
 * waiting on a condition, which gives it up.
 */
#ifndef _PTHREAD_H
#define _PTHREAD_H

#define __NEED_pthread_attr_t      1
#define __NEED_pthread_cond_t      1
#define __NEED_pthread_condattr_t  1
#define __NEED_pthread_key_t       1
#define __NEED_pthread_mutex_t     1
#define __NEED_pthread_mutexattr_t 1
#define __NEED_pthread_t           1
#include <bits/alltypes.h>
#include <stddef.h>
#include <time.h>

#define PTHREAD_COND_INITIALIZER                                                                   \
    {                                                                                              \
        {                                                                                          \
            {                                                                                      \
                0                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }
#define PTHREAD_MUTEX_INITIALIZER PTHREAD_COND_INITIALIZER

/* EAGAIN: no more threads, no memory for one, or a host without fibers. Threads cannot be joined.
 */
int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                   void *(*start)(void *), void *restrict argument);
int pthread_detach(pthread_t thread);
int pthread_exit(void *result) __attribute__((noreturn)); /* int: so CPython declares it */
pthread_t pthread_self(void);
int pthread_getthreadid_np(void); /* small, never used twice; the first thread has 1 */

int pthread_attr_init(pthread_attr_t *attributes);
int pthread_attr_destroy(pthread_attr_t *attributes);
/* Any size will do: all stacks have FIBER_STACK_BYTES. */
int pthread_attr_setstacksize(pthread_attr_t *attributes, size_t bytes);

int pthread_mutex_init(pthread_mutex_t *restrict mutex,
                       const pthread_mutexattr_t *restrict attributes);
int pthread_mutex_destroy(pthread_mutex_t *mutex);
int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_trylock(pthread_mutex_t *mutex);
int pthread_mutex_unlock(pthread_mutex_t *mutex);

/* Times are of the monotonic clock, whatever the attributes say. */
int pthread_condattr_init(pthread_condattr_t *attributes);
int pthread_condattr_setclock(pthread_condattr_t *attributes, clockid_t clock);
int pthread_cond_init(pthread_cond_t *restrict condition,
                      const pthread_condattr_t *restrict attributes);
int pthread_cond_destroy(pthread_cond_t *condition);
int pthread_cond_wait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex);
int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until);
int pthread_cond_signal(pthread_cond_t *condition);

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *)); /* destructor: NULL */
int pthread_key_delete(pthread_key_t key);
void *pthread_getspecific(pthread_key_t key);
int pthread_setspecific(pthread_key_t key, const void *value);

/* ---- beyond POSIX ---- */

/*
 * While there is more than one thread, 1 is stored to both flags every interval_us of CPU time:
 * whoever sees it should call sched_yield().
 */
void pthread_preempt_np(int *flag, int *other_flag, unsigned long interval_us);

/*
 * Called when every thread waits and no time will end that; the program ends with status 70
 * afterwards. A program may define it; the library's own prints one line.
 */
void pthread_deadlock_np(int threads);

#endif
