/*
 * Stacks of fibers: address space that becomes memory as it is used.
 *
 *     | guard | PROT_NONE ............. | readable, writable |
 *     ^ low                                                  ^ top
 *
 * They grow downwards in the fault handler, and keep what they have: a job may not take memory away
 * (allowed_calls.def), and the next fiber in the slot has use for it. What is writable counts
 * towards the guest's memory limit, so RLIMIT_DATA needs no room for stacks that nobody uses.
 *
 * Native stacks lie in one reservation, a place for each slot; the others in linear memory.
 */
#include <errno.h>
#include <sys/mman.h>

#include "worker/engine/fiber_abi.h"
#include "worker/engine/fiber_internal.h"
#include "worker/engine/memory_internal.h"

#define GUARD_BYTES      ((uint64_t)FIBER_GUARD_BYTES)
/* With the guard. The other stack is full before it, in Python whatever recurses. */
#define NATIVE_BYTES     (UINT64_C(16) << 20)
#define ALL_NATIVE_BYTES ((FIBER_SLOTS - 1) * NATIVE_BYTES)
/* What a thread of Python's needs that does nothing deep. */
#define FIRST_BYTES      UINT64_C(32768)
#define STEP_BYTES       UINT64_C(65536)

static uint8_t *native_stacks;

int
fiber_stacks_reserve(struct err *err)
{
    void *mapped =
        mmap(NULL, ALL_NATIVE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (mapped == MAP_FAILED)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot reserve stacks of fibers");
    native_stacks = mapped;
    return 0;
}

uint64_t
fiber_stacks_bytes(void)
{
    return native_stacks != NULL ? ALL_NATIVE_BYTES : 0;
}

static bool
use(struct fiber_stack *stack, uint64_t bytes)
{
    if (!engine_memory_grant(stack->top - bytes, bytes - stack->used_bytes))
        return false;
    stack->used_bytes = bytes;
    return true;
}

bool
fiber_stack_open_native(struct fiber_stack *stack, uint32_t slot)
{
    stack->low = native_stacks + (slot - 1) * NATIVE_BYTES;
    stack->top = stack->low + NATIVE_BYTES;
    return stack->used_bytes > 0 || use(stack, FIRST_BYTES);
}

bool
fiber_stack_open_linear(struct fiber_stack *stack)
{
    if (stack->low == NULL) {
        uint32_t start = engine_memory_reserve(GUARD_BYTES + FIBER_STACK_BYTES);
        if (start == 0)
            return false;
        stack->low = engine_memory_host(start);
        stack->top = stack->low + GUARD_BYTES + FIBER_STACK_BYTES;
    }
    return stack->used_bytes > 0 || use(stack, FIRST_BYTES);
}

bool
fiber_stack_has(const struct fiber_stack *stack, uint64_t address)
{
    return address >= (uint64_t)(uintptr_t)stack->low && address < (uint64_t)(uintptr_t)stack->top;
}

bool
fiber_stack_grow(struct fiber_stack *stack, uint64_t address)
{
    uint64_t most = (uint64_t)(stack->top - stack->low) - GUARD_BYTES;
    uint64_t wanted = (uint64_t)(uintptr_t)stack->top - address;

    wanted = (wanted + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
    return fiber_stack_has(stack, address) && wanted > stack->used_bytes && wanted <= most &&
           use(stack, wanted);
}
