/* Traps: what a fault is taken for, and what is not taken for a trap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/engine/engine.h"
#include "worker/engine/memory_internal.h"

#define BASE      UINT64_C(0x200000000000)
#define PAGE      ((uint64_t)ENGINE_PAGE_BYTES)
#define RESERVED  ((UINT64_C(8) << 30) + PAGE)
#define STACK_MIB 64u
#define TRAPPED   42

const struct engine_module engine_module = {
    .sha256 = "",
    .memory_base = BASE,
    .initial_pages = 1,
    .maximum_pages = 2,
};

static sigjmp_buf back;
static volatile enum engine_trap seen;

void
engine_module_init(void)
{
}

void
engine_module_start(void)
{
}

static void
jump_back(enum engine_trap trap)
{
    seen = trap;
    siglongjmp(back, 1);
}

static int
setup(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    engine_hooks.on_trap = jump_back;
    return engine_load(&err);
}

/* cmocka handles the same signals around every test; ours have to come after. */
static void
take_signals_back(void)
{
    struct err err = ERR_INIT;

    assert_int_equal(engine_trap_install(&err), 0);
}

/* The trap that the action ends in. */
static enum engine_trap
trap_of(void (*action)(void))
{
    take_signals_back();
    seen = ENGINE_TRAP_NONE;
    if (sigsetjmp(back, 1) == 0)
        action();
    return seen;
}

static uint64_t fault_address;

__attribute__((no_sanitize("address", "undefined"))) static void
read_fault_address(void)
{
    (void)*(volatile uint8_t *)(uintptr_t)fault_address;
}

__attribute__((no_sanitize("address", "undefined"))) static void
write_fault_address(void)
{
    *(volatile uint8_t *)(uintptr_t)fault_address = 1;
}

static void
accesses_outside_memory_are_out_of_bounds(void **state)
{
    const uint64_t addresses[] = {BASE + PAGE, BASE + (UINT64_C(4) << 30),
                                  BASE + (UINT64_C(8) << 30), BASE + RESERVED - 1};

    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        fault_address = addresses[i];
        assert_int_equal(trap_of(read_fault_address), ENGINE_TRAP_OUT_OF_BOUNDS);
        assert_int_equal(trap_of(write_fault_address), ENGINE_TRAP_OUT_OF_BOUNDS);
    }
    fault_address = BASE + PAGE - 1;
    assert_int_equal(trap_of(write_fault_address), ENGINE_TRAP_NONE);
}

static void (*volatile missing)(void);

static void
call_missing(void)
{
    missing();
}

static void
a_call_of_a_null_entry_is_a_failed_indirect_call(void **state)
{
    (void)state;
    assert_int_equal(trap_of(call_missing), ENGINE_TRAP_CALL_INDIRECT);
}

/* Not a tail call: the frame is needed after the call. */
__attribute__((noinline, no_sanitize("address", "undefined"))) static int
recurse(volatile int *previous)
{
    volatile int here[64];

    here[0] = *previous + 1;
    return here[0] == 0 ? 0 : recurse(here) + here[0];
}

static void
recurse_for_ever(void)
{
    volatile int start = 1;

    (void)recurse(&start);
}

static void
endless_recursion_exhausts_the_stack(void **state)
{
    (void)state;
    assert_int_equal(trap_of(recurse_for_ever), ENGINE_TRAP_STACK_EXHAUSTED);
    assert_int_equal(trap_of(recurse_for_ever), ENGINE_TRAP_STACK_EXHAUSTED);
}

static void
the_stack_may_grow_to_64_mib(void **state)
{
    struct rlimit limit;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_STACK, &limit), 0);
    assert_true(limit.rlim_cur == (rlim_t)STACK_MIB << 20 || limit.rlim_cur == limit.rlim_max);
}

static void
reported_traps_reach_the_hook(void **state)
{
    (void)state;
    for (int trap = ENGINE_TRAP_NONE + 1; trap < ENGINE_TRAP_COUNT; trap++) {
        seen = ENGINE_TRAP_NONE;
        if (sigsetjmp(back, 1) == 0)
            engine_trap((enum engine_trap)trap);
        assert_int_equal(seen, trap);
    }
}

static void
every_trap_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int trap = ENGINE_TRAP_NONE; trap < ENGINE_TRAP_COUNT; trap++) {
        for (int other = ENGINE_TRAP_NONE; other < trap; other++)
            assert_string_not_equal(engine_trap_text((enum engine_trap)trap),
                                    engine_trap_text((enum engine_trap)other));
    }
    assert_string_equal(engine_trap_text(ENGINE_TRAP_OUT_OF_BOUNDS), "out of bounds memory access");
    assert_string_equal(engine_trap_text(ENGINE_TRAP_COUNT), "unknown trap");
}

/* The signal that kills a child which runs the action; 0 when it ends by itself. */
static int
deadly_signal_of(void (*action)(void))
{
    int status = -1;

    take_signals_back();
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        if (sigsetjmp(back, 1) == 0)
            action();
        _exit(TRAPPED);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
fault_elsewhere(void)
{
    void *page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    fault_address = (uint64_t)(uintptr_t)page;
    read_fault_address();
}

static void
fault_on_a_non_canonical_address(void)
{
    fault_address = UINT64_C(1) << 60;
    read_fault_address();
}

/* As the processor sees it; the compiler is not asked. */
static void
divide_by_zero(void)
{
    __asm__ volatile("xorl %%edx, %%edx\n\tdivl %%edx" : : "a"(1) : "edx", "cc");
}

static void
trap_without_hook(void)
{
    engine_hooks.on_trap = NULL;
    engine_trap(ENGINE_TRAP_UNREACHABLE);
}

static void
faults_of_ours_are_not_taken_for_traps(void **state)
{
    (void)state;
    assert_int_equal(deadly_signal_of(fault_elsewhere), SIGSEGV);
    assert_int_equal(deadly_signal_of(fault_on_a_non_canonical_address), SIGSEGV);
}

static void
a_trap_without_a_hook_aborts(void **state)
{
    (void)state;
    assert_int_equal(deadly_signal_of(trap_without_hook), SIGABRT);
}

static void
other_faults_get_their_default_action(void **state)
{
    (void)state;
    assert_int_equal(deadly_signal_of(divide_by_zero), SIGFPE);
}

static void
traps_are_told_apart_after_a_fork_too(void **state)
{
    (void)state;
    fault_address = BASE + PAGE;
    assert_int_equal(deadly_signal_of(read_fault_address), 0);
    assert_int_equal(deadly_signal_of(recurse_for_ever), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accesses_outside_memory_are_out_of_bounds),
        cmocka_unit_test(a_call_of_a_null_entry_is_a_failed_indirect_call),
        cmocka_unit_test(endless_recursion_exhausts_the_stack),
        cmocka_unit_test(the_stack_may_grow_to_64_mib),
        cmocka_unit_test(reported_traps_reach_the_hook),
        cmocka_unit_test(every_trap_has_a_text_of_its_own),
        cmocka_unit_test(faults_of_ours_are_not_taken_for_traps),
        cmocka_unit_test(a_trap_without_a_hook_aborts),
        cmocka_unit_test(other_faults_get_their_default_action),
        cmocka_unit_test(traps_are_told_apart_after_a_fork_too),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
