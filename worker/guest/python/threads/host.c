/* What the threads ask the host for. */
#include <errno.h>
#include <stdlib.h>
#include <wasi/api.h>

#include "scheduler.h"
#include "worker/engine/fiber_abi.h"

/* WASI's sleep itself, not the one that lets others run (sleep.c). */
__wasi_errno_t __real___wasi_poll_oneoff(const __wasi_subscription_t *in, __wasi_event_t *out,
                                         __wasi_size_t count, __wasi_size_t *events);

static int
request(const struct fiber_request *request)
{
    __wasi_ciovec_t bytes = {.buf = (const uint8_t *)request, .buf_len = sizeof(*request)};
    __wasi_size_t written;

    return __wasi_fd_write(FIBER_FD, &bytes, 1, &written);
}

int
host_new_fiber(const struct thread *thread)
{
    return request(&(struct fiber_request){
        .operation = FIBER_NEW,
        .as.fiber =
            {
                .slot = thread->slot,
                .argument = (uint32_t)(uintptr_t)thread,
            },
    });
}

void
host_switch(const struct thread *to)
{
    if (request(&(struct fiber_request){.operation = FIBER_SWITCH, .as.fiber.slot = to->slot}) != 0)
        abort();
}

_Noreturn void
host_end(const struct thread *next)
{
    (void)request(&(struct fiber_request){.operation = FIBER_END, .as.fiber.slot = next->slot});
    abort();
}

void
host_preempt(int *flag, int *other_flag, uint32_t interval_us)
{
    (void)request(&(struct fiber_request){
        .operation = FIBER_PREEMPT,
        .as.preempt =
            {
                .flags = {(uint32_t)(uintptr_t)flag, (uint32_t)(uintptr_t)other_flag},
                .interval_us = interval_us,
            },
    });
}

void
host_sleep_until(uint64_t deadline_ns)
{
    const __wasi_subscription_t until = {
        .u.tag = __WASI_EVENTTYPE_CLOCK,
        .u.u.clock =
            {
                .id = __WASI_CLOCKID_MONOTONIC,
                .timeout = deadline_ns,
                .flags = __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME,
            },
    };
    __wasi_event_t event;
    __wasi_size_t count;

    (void)__real___wasi_poll_oneoff(&until, &event, 1, &count);
}
