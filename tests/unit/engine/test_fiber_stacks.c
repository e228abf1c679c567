/* link: tests/unit/engine/fiber_world.c */
/* Stacks of fibers: how they grow, where they end, what they count as. */
#include "tests/unit/engine/fiber_world.h"

#include "worker/engine/peak.h"

/* ---- stacks that run full ---- */

__attribute__((noinline, no_sanitize("address", "undefined"))) static int
recurse(volatile int *previous, int depth)
{
    volatile int here[256];

    here[0] = *previous + 1;
    return depth == 0 ? here[0] : recurse(here, depth - 1) + here[0];
}

static void
recurse_deeply(uint32_t depth)
{
    volatile int start = 1;

    (void)recurse(&start, (int)depth);
    end_fiber();
}

/* Native stacks have 16 MiB, and a frame here between 1 and 2 KiB. */
#define FRAMES_THAT_FIT 7000u
#define TOO_MANY_FRAMES 20000u

static void
use_much_stack(void)
{
    body = recurse_deeply;
    for (int i = 0; i < 3; i++) {
        CHECK(make_fiber(1, FRAMES_THAT_FIT) == ENGINE_FIBER_OK);
        go_to(1);
    }
}

static void
overflow_native_stack(void)
{
    body = recurse_deeply;
    CHECK(make_fiber(1, TOO_MANY_FRAMES) == ENGINE_FIBER_OK);
    go_to(1);
}

static void
native_stacks_grow_and_end_in_a_trap(void **state)
{
    (void)state;
    assert_int_equal(status_of(use_much_stack), 0);
    assert_int_equal(status_of(overflow_native_stack), TRAPPED(ENGINE_TRAP_STACK_EXHAUSTED));
}

static uint32_t touched;

__attribute__((no_sanitize("address", "undefined"))) static void
touch(uint32_t argument)
{
    (void)argument;
    *(volatile uint8_t *)(uintptr_t)(engine_module.memory_base + touched) = 1;
    end_fiber();
}

static void
touch_in_fiber(void)
{
    body = touch;
    CHECK(make_fiber(1, 0) == ENGINE_FIBER_OK && make_fiber(2, 0) == ENGINE_FIBER_OK);
    go_to(1);
}

static int
status_of_touching(uint32_t address)
{
    touched = address;
    return status_of(touch_in_fiber);
}

static void
the_guard_of_ones_own_stack_is_its_end_and_anothers_is_out_of_bounds(void **state)
{
    const int exhausted = TRAPPED(ENGINE_TRAP_STACK_EXHAUSTED);
    const int outside = TRAPPED(ENGINE_TRAP_OUT_OF_BOUNDS);

    (void)state;
    assert_int_equal(status_of_touching(guard_of(1)), exhausted);
    assert_int_equal(status_of_touching(guard_of(1) + FIBER_GUARD_BYTES - 1), exhausted);
    assert_int_equal(status_of_touching(guard_of(1) + FIBER_GUARD_BYTES), 0);
    assert_int_equal(status_of_touching(top_of(1) - 1), 0);
    assert_int_equal(status_of_touching(guard_of(1) - 1), 0);
    assert_int_equal(status_of_touching(guard_of(2)), outside);
    /* What another has not used is not there. */
    assert_int_equal(status_of_touching(top_of(2) - 1), 0);
    assert_int_equal(status_of_touching(top_of(2) - (1 << 20)), outside);
    assert_int_equal(status_of_touching(top_of(2)), outside);
}

/* ---- memory ---- */

static void
grow_under_limit(void)
{
    body = recurse_deeply;
    /* A fiber begins on half a page of each stack. */
    engine_set_memory_limit((PAGES + 1) * PAGE);
    CHECK(make_fiber(1, 0) == ENGINE_FIBER_OK && refusals == 0);
    CHECK(engine_memory_bytes() == PAGES * PAGE + SLOT_BYTES);
    CHECK(make_fiber(2, 0) == ENGINE_FIBER_NO_MEMORY && refusals == 1);
    CHECK(engine_memory_grow(1) == UINT32_MAX && refusals == 2);
    engine_set_memory_limit((PAGES + 3) * PAGE);
    CHECK(make_fiber(2, FRAMES_THAT_FIT) == ENGINE_FIBER_OK && refusals == 2);
    CHECK(engine_memory_grow(1) == PAGES + 2 * SLOT_BYTES / PAGE);
    go_to(1);
    /* There is no room for a stack that grows. */
    go_to(2);
}

static void
stacks_count_towards_the_memory_limit(void **state)
{
    (void)state;
    assert_int_equal(status_of(grow_under_limit), TRAPPED(ENGINE_TRAP_STACK_EXHAUSTED));
}

static void
touch_a_mebibyte(uint32_t argument)
{
    for (uint32_t at = 0; at < 1 << 20; at += 4096)
        *(volatile uint8_t *)engine_memory_at(top_of(1) - 1 - at, 1) = 1;
    recurse_deeply(argument);
}

static void
look_at_peak(void)
{
    static _Atomic uint64_t peak;
    const uint64_t before = PAGES * PAGE;

    body = touch_a_mebibyte;
    engine_memory_peak_bytes = &peak;
    CHECK(make_fiber(1, FRAMES_THAT_FIT) == ENGINE_FIBER_OK);
    CHECK(peak == before + PAGE);
    go_to(1);
    CHECK(peak > before + (1 << 20) + FRAMES_THAT_FIT * 1024);
    CHECK(peak < before + (1 << 20) + FRAMES_THAT_FIT * 2048 + 3 * PAGE);
}

static void
stacks_count_as_far_as_they_are_used(void **state)
{
    (void)state;
    assert_int_equal(status_of(look_at_peak), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(native_stacks_grow_and_end_in_a_trap),
        cmocka_unit_test(the_guard_of_ones_own_stack_is_its_end_and_anothers_is_out_of_bounds),
        cmocka_unit_test(stacks_count_towards_the_memory_limit),
        cmocka_unit_test(stacks_count_as_far_as_they_are_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
