/*
 * The table of fibers, and going from one to another.
 *
 * Slot 0 is the process's own stack, on which _start runs. Every other fiber has two, a native one
 * and one in linear memory (fiber_stack.c). Running into the end of either is "call stack
 * exhausted", as it is for the first fiber. A slot keeps its stacks for the next fiber in it, so
 * that making one mostly takes no system call.
 *
 * What the guest asks for is checked here: nonsense gets an answer, and a guest that has flags set
 * in a guard traps.
 */
#include "worker/engine/fiber.h"

#include "worker/engine/engine.h"
#include "worker/engine/fiber_abi.h"
#include "worker/engine/fiber_internal.h"
#include "worker/engine/fiber_sanitizer.h"
#include "worker/engine/memory_internal.h"

struct fiber {
    bool lives;
    uint32_t stack_pointer; /* the module's, while another fiber runs */
    uint32_t argument;
    void *saved; /* what fiber_switch() goes back to */
    struct fiber_stack native, linear;
    struct fiber_sanitizer sanitizer;
};

static struct fiber fibers[FIBER_SLOTS];
static uint32_t running;

int
engine_fibers_allow(struct err *err)
{
    if (engine_module.fiber_main == NULL)
        return 0;
    return fiber_preempt_make_timer(err);
}

uint64_t
engine_fibers_mapped_bytes(void)
{
    return fiber_stacks_bytes();
}

static bool
lives(uint32_t slot)
{
    return slot == 0 || fibers[slot].lives;
}

/* ---- making ---- */

static _Noreturn void
enter(void)
{
    fiber_sanitizer_arrived(&fibers[running].sanitizer);
    engine_module.fiber_main(fibers[running].argument);
    /* It must end by going elsewhere: there is nothing to return to. */
    engine_trap(ENGINE_TRAP_UNREACHABLE);
}

static enum engine_fiber_answer
make(uint32_t slot, uint32_t argument)
{
    if (slot >= FIBER_SLOTS || lives(slot))
        return ENGINE_FIBER_INVALID;
    struct fiber *fiber = &fibers[slot];
    if (!fiber_stack_open_native(&fiber->native, slot) || !fiber_stack_open_linear(&fiber->linear))
        return ENGINE_FIBER_NO_MEMORY;
    fiber->lives = true;
    fiber->argument = argument;
    fiber->stack_pointer = (uint32_t)(fiber->linear.top - engine_memory_host(0));
    fiber->saved = fiber_first_frame(fiber->native.top, enter);
    fiber_sanitizer_begin(&fiber->sanitizer, fiber->native.low, fiber->native.top);
    return ENGINE_FIBER_OK;
}

/* ---- going from one to another ---- */

static enum engine_fiber_answer
go(uint32_t slot, bool end)
{
    struct fiber *from = &fibers[running];

    if (slot >= FIBER_SLOTS || slot == running || !lives(slot) || (end && running == 0))
        return ENGINE_FIBER_INVALID;
    struct fiber *to = &fibers[slot];
    from->lives = !end;
    from->stack_pointer = *engine_module.stack_pointer;
    *engine_module.stack_pointer = to->stack_pointer;
    running = slot;
    fiber_sanitizer_leave(&from->sanitizer, &to->sanitizer, end);
    fiber_switch(&from->saved, to->saved);
    fiber_sanitizer_arrived(&from->sanitizer);
    return ENGINE_FIBER_OK;
}

/* ---- preemption ---- */

static enum engine_fiber_answer
preempt(const uint32_t flags[2], uint32_t interval_us)
{
    uint32_t *places[2] = {NULL, NULL};

    for (int i = 0; i < 2 && interval_us > 0; i++) {
        if (flags[i] % sizeof(uint32_t) == 0)
            places[i] = engine_memory_at(flags[i], sizeof(uint32_t));
        if (places[i] == NULL)
            return ENGINE_FIBER_INVALID;
    }
    fiber_preempt_start(places, interval_us);
    return ENGINE_FIBER_OK;
}

enum engine_fiber_answer
engine_fiber_request(const struct fiber_request *request)
{
    uint32_t slot = request->as.fiber.slot;

    /* The one thing of its own that a process without fibers writes. */
    if (!fiber_preempt_has_timer())
        return ENGINE_FIBER_NOT_ALLOWED;
    switch (request->operation) {
    case FIBER_NEW:
        return make(slot, request->as.fiber.argument);
    case FIBER_SWITCH:
    case FIBER_END:
        return go(slot, request->operation == FIBER_END);
    case FIBER_PREEMPT:
        return preempt(request->as.preempt.flags, request->as.preempt.interval_us);
    default:
        return ENGINE_FIBER_INVALID;
    }
}

/* ---- faults ---- */

bool
fiber_grow_stack(uint64_t address)
{
    struct fiber *fiber = &fibers[running];

    return fiber_stack_grow(&fiber->native, address) || fiber_stack_grow(&fiber->linear, address);
}

bool
fiber_stack_overflowed(uint64_t address)
{
    const struct fiber *fiber = &fibers[running];

    return fiber_stack_has(&fiber->native, address) || fiber_stack_has(&fiber->linear, address);
}
