/* What the files about fibers share among themselves, with engine.c and with trap.c. */
#ifndef RETORT_ENGINE_FIBER_INTERNAL_H
#define RETORT_ENGINE_FIBER_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

/* ---- stacks, native and in linear memory: fiber_stack.c ---- */

/* Reserves address space for native stacks. Once, before forks. */
int fiber_stacks_reserve(struct err *err);
uint64_t fiber_stacks_bytes(void);

/* Grows downwards from top, as it is used. NULL: there is none yet. */
struct fiber_stack {
    uint8_t *low, *top; /* with the guard */
    uint64_t used_bytes;
};

/* Those of that slot, with something to begin on. False: no memory for that. */
bool fiber_stack_open_native(struct fiber_stack *stack, uint32_t slot);
bool fiber_stack_open_linear(struct fiber_stack *stack);
/* Is it the stack's, or of the guard below it? */
bool fiber_stack_has(const struct fiber_stack *stack, uint64_t address);
/* If it is the stack's, makes that writable down to the address. False: not, or no memory. */
bool fiber_stack_grow(struct fiber_stack *stack, uint64_t address);

/* ---- the switch: fiber_switch.c ---- */

/* Keeps the registers and the stack in *from, takes those of to. */
void fiber_switch(void **from, void *to);
/* What to switch to in order to begin entry() on a stack whose high end is top. */
void *fiber_first_frame(void *top, void (*entry)(void));

/* ---- preemption: fiber_preempt.c ---- */

/* Handles the timer's signal. Once, before forks. */
int fiber_preempt_install(struct err *err);
/* A fork has no timer. Once per process that wants one. */
int fiber_preempt_make_timer(struct err *err);
bool fiber_preempt_has_timer(void);
/* Host addresses of the flags, or interval_us 0. */
void fiber_preempt_start(uint32_t *const flags[2], uint32_t interval_us);

/* ---- for trap.c, in a signal handler: fiber.c ---- */

/* True when the address lay in one of the running fiber's stacks and is writable now: go on. */
bool fiber_grow_stack(uint64_t address);
/* True when it lies in one of them, or in its guard, nevertheless. */
bool fiber_stack_overflowed(uint64_t address);

#endif
