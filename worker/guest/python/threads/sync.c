/* Mutexes, which need no state (pthread.h says why), conditions, and values of threads. */
#include <errno.h>
#include <string.h>

#include "scheduler.h"

#define NANOSECONDS_PER_SEC UINT64_C(1000000000)

int
pthread_mutex_init(pthread_mutex_t *restrict mutex, const pthread_mutexattr_t *restrict attributes)
{
    (void)mutex, (void)attributes;
    return 0;
}

int
pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

int
pthread_mutex_lock(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

int
pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

int
pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

/* ---- conditions: the queue of those who wait ---- */

_Static_assert(sizeof(struct thread_queue) <= sizeof(pthread_cond_t), "the queue fits");

static struct thread_queue *
queue_of(pthread_cond_t *condition)
{
    return (struct thread_queue *)condition;
}

int
pthread_condattr_init(pthread_condattr_t *attributes)
{
    (void)attributes;
    return 0;
}

int
pthread_condattr_setclock(pthread_condattr_t *attributes, clockid_t clock)
{
    (void)attributes, (void)clock;
    return 0;
}

int
pthread_cond_init(pthread_cond_t *restrict condition, const pthread_condattr_t *restrict attributes)
{
    (void)attributes;
    memset(condition, 0, sizeof(*condition));
    return 0;
}

int
pthread_cond_destroy(pthread_cond_t *condition)
{
    (void)condition;
    return 0;
}

int
pthread_cond_wait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex)
{
    (void)mutex;
    scheduler_wait(queue_of(condition), 0);
    return 0;
}

int
pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                       const struct timespec *restrict until)
{
    uint64_t seconds = until->tv_sec > 0 ? (uint64_t)until->tv_sec : 0;
    uint64_t deadline_ns = UINT64_MAX;

    (void)mutex;
    if (seconds < UINT64_MAX / NANOSECONDS_PER_SEC)
        deadline_ns = seconds * NANOSECONDS_PER_SEC + (uint64_t)until->tv_nsec;
    return scheduler_wait(queue_of(condition), deadline_ns > 0 ? deadline_ns : 1) ? ETIMEDOUT : 0;
}

int
pthread_cond_signal(pthread_cond_t *condition)
{
    scheduler_wake(queue_of(condition));
    return 0;
}

/* ---- values of threads ---- */

static bool key_used[THREAD_KEYS];

int
pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    if (destructor != NULL)
        return EINVAL;
    for (pthread_key_t i = 0; i < THREAD_KEYS; i++) {
        if (key_used[i])
            continue;
        key_used[i] = true;
        *key = i;
        return 0;
    }
    return EAGAIN;
}

int
pthread_key_delete(pthread_key_t key)
{
    if (key >= THREAD_KEYS || !key_used[key])
        return EINVAL;
    key_used[key] = false;
    thread_forget_values(key);
    return 0;
}

void *
pthread_getspecific(pthread_key_t key)
{
    return key < THREAD_KEYS ? (void *)thread_running->values[key] : NULL;
}

int
pthread_setspecific(pthread_key_t key, const void *value)
{
    if (key >= THREAD_KEYS || !key_used[key])
        return EINVAL;
    thread_running->values[key] = value;
    return 0;
}
