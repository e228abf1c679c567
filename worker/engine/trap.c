/*
 * Traps: what the generated code reports itself, and what it leaves to the processor.
 *
 * The generated code checks divisions, conversions and indirect calls, and calls engine_trap().
 * It does not check addresses: a load or store outside linear memory hits the reservation's
 * PROT_NONE pages, and the handler below tells what happened by the faulting address:
 *
 *     instruction pointer 0             a call through a NULL entry of a function table
 *     in the reservation (or below it)  out of bounds access
 *     in the stack's room to grow       stack exhausted
 *     in a fiber's stack or its guards  the stack grows, or is exhausted (fiber.c)
 *     anything else                     a fault of ours: the default action
 *
 * The handler runs on a stack of its own, since the other one may be full. That stack and the
 * handlers survive fork.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <ucontext.h>

#include "worker/engine/engine.h"
#include "worker/engine/fiber_internal.h"
#include "worker/engine/memory_internal.h"

#define STACK_BYTES        (UINT64_C(64) << 20)
/* The kernel keeps this much free below a stack (stack_guard_gap, 256 pages), and one more. */
#define STACK_GAP_BYTES    (UINT64_C(2) << 20)
#define SIGNAL_STACK_BYTES (128u << 10)

static uint8_t signal_stack[SIGNAL_STACK_BYTES] __attribute__((aligned(16)));
static uint64_t stack_top, stack_floor;

static const char *const trap_texts[ENGINE_TRAP_COUNT] = {
    [ENGINE_TRAP_NONE] = "none",
#define ENGINE_TRAP(symbol, text) [ENGINE_TRAP_##symbol] = text,
#include "worker/engine/trap.def"
#undef ENGINE_TRAP
};

const char *
engine_trap_text(enum engine_trap trap)
{
    return (unsigned)trap < ENGINE_TRAP_COUNT ? trap_texts[trap] : "unknown trap";
}

void
engine_trap(enum engine_trap trap)
{
    if (engine_hooks.on_trap != NULL)
        engine_hooks.on_trap(trap);
    abort();
}

static enum engine_trap
classify(uint64_t address, uint64_t instruction)
{
    if (instruction == 0)
        return ENGINE_TRAP_CALL_INDIRECT;
    if (fiber_stack_overflowed(address))
        return ENGINE_TRAP_STACK_EXHAUSTED;
    if (engine_memory_reserves(address))
        return ENGINE_TRAP_OUT_OF_BOUNDS;
    if (address >= stack_floor && address < stack_top)
        return ENGINE_TRAP_STACK_EXHAUSTED;
    return ENGINE_TRAP_NONE;
}

static void
on_fault(int signal_number, siginfo_t *info, void *context)
{
    ucontext_t *machine = context;
    uint64_t instruction = (uint64_t)machine->uc_mcontext.gregs[REG_RIP];
    uint64_t address = (uint64_t)(uintptr_t)info->si_addr;
    enum engine_trap trap = ENGINE_TRAP_NONE;

    /* SI_KERNEL: a fault without an address, such as a non-canonical one; not the guest's. */
    if ((signal_number == SIGSEGV || signal_number == SIGBUS) && info->si_code != SI_KERNEL) {
        if (fiber_grow_stack(address))
            return;
        trap = classify(address, instruction);
    }
    if (trap != ENGINE_TRAP_NONE)
        engine_trap(trap);
    /* Ours: on return the instruction faults again, and a blocked fault kills where it is. */
    sigaddset(&machine->uc_sigmask, signal_number);
}

/* The main thread's stack grows on its own up to the limit, which may be raised at any time. */
static int
raise_stack_limit(struct err *err)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_STACK, &limit) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot read RLIMIT_STACK");
    limit.rlim_cur = limit.rlim_max < STACK_BYTES ? limit.rlim_max : STACK_BYTES;
    if (setrlimit(RLIMIT_STACK, &limit) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot set RLIMIT_STACK");
    stack_top = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    stack_floor = stack_top - limit.rlim_cur - STACK_GAP_BYTES;
    return 0;
}

int
engine_trap_install(struct err *err)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof(signal_stack)};
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};

    if (raise_stack_limit(err) < 0)
        return -1;
    if (sigaltstack(&stack, NULL) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot set the signal stack");
    action.sa_sigaction = on_fault;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        if (sigaction(signals[i], &action, NULL) < 0)
            return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot handle signal %d", signals[i]);
    }
    return 0;
}
