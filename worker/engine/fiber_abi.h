/*
 * How a guest asks for fibers: the one thing that it can ask for beyond WASI preview 1.
 *
 * WASI has no call for it, and a module that imported one of ours would run nowhere else. So a
 * request is bytes written by fd_write() to a descriptor that nobody has: exactly one buffer that
 * is exactly one struct fiber_request. Every other use of the number, and every use of it in
 * another WASI runtime, answers EBADF like any number that is not open. A guest that asks must
 * export retort_fiber_main, a function of type (i32) -> ().
 *
 * The guest schedules; the host owns the stacks and goes from one to another when told to. Answers:
 * success (all bytes are written); EINVAL, the request makes no sense and nothing was done; EAGAIN,
 * there is no memory for a stack.
 *
 * Included by the host and, compiled for wasm32, by guests.
 */
#ifndef RETORT_ENGINE_FIBER_ABI_H
#define RETORT_ENGINE_FIBER_ABI_H

#include <stdint.h>

#define FIBER_FD UINT32_C(0x72666231)

/* Slot 0 is the guest's first fiber, which is always there. */
#define FIBER_SLOTS 257

/* A fiber's stack in linear memory, and what lies below it. */
#define FIBER_STACK_BYTES (8 << 20)
#define FIBER_GUARD_BYTES 65536

enum fiber_operation {
    /*
     * A fiber in a slot whose last one has ended, if there was one. When it is first gone to,
     * retort_fiber_main(argument) runs, which must not return. The first fiber in a slot makes
     * linear memory larger by a stack and the guard below it. Of these the guard can never be
     * accessed, and the stack counts towards the memory limit as far as it has been used.
     */
    FIBER_NEW = 1,
    /* Goes on in that slot, where one must live, and not this one. Returns when one goes back. */
    FIBER_SWITCH,
    /* The same, and this fiber, which must not be that of slot 0, has ended. */
    FIBER_END,
    /*
     * From now on 1 is stored to both flags whenever the guest has used that much CPU time (at
     * least 1 ms, at most 1 s). interval_us 0: no more.
     */
    FIBER_PREEMPT,
};

struct fiber_request {
    uint32_t operation; /* enum fiber_operation */
    union {
        struct {
            uint32_t slot;
            uint32_t argument; /* of FIBER_NEW */
            uint32_t unused;
        } fiber;
        struct {
            uint32_t flags[2]; /* linear addresses, multiples of 4 */
            uint32_t interval_us;
        } preempt;
    } as;
};

#endif
