/* Making and ending threads. A slot keeps its stacks, so slots are used again, the last one first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler.h"
#include "worker/engine/fiber_abi.h"

/* By slot: all that there have ever been. */
static struct thread *threads[FIBER_SLOTS] = {[0] = &thread_first};
static uint32_t slots_used = 1;
static struct thread *ended; /* a list */
static int last_id = 1;

/* In a slot whose thread has ended, or in the next one that was never used. */
static struct thread *
take_thread(void)
{
    struct thread *thread = ended;

    if (thread != NULL) {
        ended = thread->next;
        return thread;
    }
    if (slots_used == FIBER_SLOTS)
        return NULL;
    thread = calloc(1, sizeof(*thread));
    if (thread == NULL)
        return NULL;
    thread->slot = slots_used;
    threads[slots_used++] = thread;
    return thread;
}

int
pthread_create(pthread_t *restrict result, const pthread_attr_t *restrict attributes,
               void *(*start)(void *), void *restrict argument)
{
    struct thread *thread = take_thread();

    (void)attributes;
    if (thread == NULL)
        return EAGAIN;
    if (host_new_fiber(thread) != 0) {
        thread_bury(thread);
        return EAGAIN;
    }
    thread->start = start;
    thread->argument = argument;
    thread->id = ++last_id;
    memset(thread->values, 0, sizeof(thread->values));
    *result = (pthread_t)thread;
    scheduler_start(thread);
    return 0;
}

void
thread_bury(struct thread *thread)
{
    thread->next = ended;
    ended = thread;
}

void
thread_forget_values(pthread_key_t key)
{
    for (uint32_t slot = 0; slot < slots_used; slot++)
        threads[slot]->values[key] = NULL;
}

int
pthread_exit(void *result)
{
    (void)result;
    if (thread_running->slot == 0)
        exit(0);
    scheduler_end();
}

int
pthread_detach(pthread_t thread)
{
    (void)thread;
    return 0;
}

pthread_t
pthread_self(void)
{
    return (pthread_t)thread_running;
}

int
pthread_getthreadid_np(void)
{
    return thread_running->id;
}

int
pthread_attr_init(pthread_attr_t *attributes)
{
    (void)attributes;
    return 0;
}

int
pthread_attr_destroy(pthread_attr_t *attributes)
{
    (void)attributes;
    return 0;
}

int
pthread_attr_setstacksize(pthread_attr_t *attributes, size_t bytes)
{
    (void)attributes, (void)bytes;
    return 0;
}
