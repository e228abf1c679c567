/* link: tests/unit/engine/fiber_world.c */
/* Fibers: going from one to another, and what is refused. */
#include "tests/unit/engine/fiber_world.h"

#include "worker/engine/peak.h"

/* ---- going from one to another ---- */

static char trace[64];

static void
note(uint32_t argument, char what)
{
    size_t at = strlen(trace);

    trace[at] = (char)('0' + argument);
    trace[at + 1] = what;
}

static void
take_turns_with_others(uint32_t argument)
{
    char *own = __builtin_frame_address(0);

    CHECK(stack_pointer == top_of(argument));
    stack_pointer -= 16 * argument;
    note(argument, 'a');
    go_to(argument % 3 + 1);
    note(argument, 'b');
    CHECK(own == (char *)__builtin_frame_address(0));
    CHECK(stack_pointer == top_of(argument) - 16 * argument);
    (void)ask_for(FIBER_END, argument == 3 ? 0 : argument + 1);
    CHECK(!"a fiber that has ended goes on");
}

static void
switch_between_three(void)
{
    body = take_turns_with_others;
    for (uint32_t slot = 1; slot <= 3; slot++)
        CHECK(make_fiber(slot, slot) == ENGINE_FIBER_OK);
    CHECK(trace[0] == '\0' && stack_pointer == 4096);
    go_to(1);
    CHECK(strcmp(trace, "1a2a3a1b2b3b") == 0);
    CHECK(stack_pointer == 4096);
    for (uint32_t slot = 1; slot <= 3; slot++)
        CHECK(ask_for(FIBER_SWITCH, slot) == ENGINE_FIBER_INVALID);
}

static void
each_fiber_has_its_own_stacks_and_goes_on_where_it_was(void **state)
{
    (void)state;
    assert_int_equal(status_of(switch_between_three), 0);
}

static volatile double third = 3;

static void
disturb(uint32_t argument)
{
    volatile uint64_t sum = argument;

    for (;;) {
        for (uint64_t i = 0; i < 100; i++)
            sum = sum * 31 + i + (uint64_t)((double)sum / third);
        go_to(0);
    }
}

static void
compute_while_switching(void)
{
    uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7;
    double x = 0.5, y = 1.5;

    body = disturb;
    CHECK(make_fiber(1, 12345) == ENGINE_FIBER_OK);
    for (uint64_t i = 0; i < 1000; i++) {
        a += b ^ i, b += c ^ i, c += d ^ i, d += e ^ i, e += f ^ i, f += g ^ i, g += a ^ i;
        x = x * 1.0001 + y, y = y * 0.999;
        go_to(1);
    }
    uint64_t A = 1, B = 2, C = 3, D = 4, E = 5, F = 6, G = 7;
    double X = 0.5, Y = 1.5;
    for (uint64_t i = 0; i < 1000; i++) {
        A += B ^ i, B += C ^ i, C += D ^ i, D += E ^ i, E += F ^ i, F += G ^ i, G += A ^ i;
        X = X * 1.0001 + Y, Y = Y * 0.999;
    }
    CHECK(a == A && b == B && c == C && d == D && e == E && f == F && g == G);
    CHECK(x == X && y == Y);
}

static void
registers_are_kept(void **state)
{
    (void)state;
    assert_int_equal(status_of(compute_while_switching), 0);
}

static void
return_at_once(uint32_t argument)
{
    (void)argument;
}

static void
enter_one_that_returns(void)
{
    body = return_at_once;
    CHECK(make_fiber(1, 0) == ENGINE_FIBER_OK);
    go_to(1);
}

static void
a_fiber_that_returns_is_a_trap(void **state)
{
    (void)state;
    assert_int_equal(status_of(enter_one_that_returns), TRAPPED(ENGINE_TRAP_UNREACHABLE));
}

/* ---- what is refused ---- */

static void
end_at_once(uint32_t argument)
{
    (void)argument;
    end_fiber();
}

static void
go_where_nothing_is(void)
{
    const uint32_t slots[] = {0, 1, 2, FIBER_SLOTS - 1, FIBER_SLOTS, 1000000, UINT32_MAX};

    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        CHECK(ask_for(FIBER_SWITCH, slots[i]) == ENGINE_FIBER_INVALID);
        CHECK(ask_for(FIBER_END, slots[i]) == ENGINE_FIBER_INVALID);
    }
    body = end_at_once;
    CHECK(make_fiber(1, 0) == ENGINE_FIBER_OK);
    /* The first fiber cannot end, and one that lives cannot be made. */
    CHECK(ask_for(FIBER_END, 1) == ENGINE_FIBER_INVALID);
    CHECK(make_fiber(1, 0) == ENGINE_FIBER_INVALID);
    go_to(1);
    CHECK(ask_for(FIBER_SWITCH, 1) == ENGINE_FIBER_INVALID);
    CHECK(ask_for(0, 1) == ENGINE_FIBER_INVALID);
    CHECK(ask_for(FIBER_PREEMPT + 1, 1) == ENGINE_FIBER_INVALID);
    CHECK(ask_for(UINT32_MAX, 1) == ENGINE_FIBER_INVALID);
}

static void
slots_without_a_fiber_cannot_be_gone_to(void **state)
{
    (void)state;
    assert_int_equal(status_of(go_where_nothing_is), 0);
}

static void
make_with_wrong_numbers(void)
{
    CHECK(make_fiber(0, 0) == ENGINE_FIBER_INVALID);
    CHECK(make_fiber(FIBER_SLOTS, 0) == ENGINE_FIBER_INVALID);
    CHECK(make_fiber(UINT32_MAX, 0) == ENGINE_FIBER_INVALID);
    CHECK(engine_memory_bytes() == PAGES * PAGE);
    CHECK(make_fiber(FIBER_SLOTS - 1, 0) == ENGINE_FIBER_OK);
    CHECK(engine_memory_bytes() == PAGES * PAGE + SLOT_BYTES);
}

static void
slots_have_bounds(void **state)
{
    (void)state;
    assert_int_equal(status_of(make_with_wrong_numbers), 0);
}

/* ---- ending and using again ---- */

static void
make_again(void)
{
    _Atomic uint64_t peak;

    engine_memory_peak_bytes = &peak;
    body = end_at_once;
    CHECK(make_fiber(1, 0) == ENGINE_FIBER_OK);
    go_to(1);
    uint64_t first_peak = peak;
    CHECK(make_fiber(1, 0) == ENGINE_FIBER_OK);
    go_to(1);
    CHECK(engine_memory_bytes() == PAGES * PAGE + SLOT_BYTES);
    CHECK(peak == first_peak);
}

static void
a_slot_keeps_its_stack_for_the_next_fiber(void **state)
{
    (void)state;
    assert_int_equal(status_of(make_again), 0);
}

static void
make_very_many(void)
{
    body = end_at_once;
    for (int i = 0; i < 10000; i++) {
        uint32_t slot = 1 + (uint32_t)i % (FIBER_SLOTS - 1);
        CHECK(make_fiber(slot, 0) == ENGINE_FIBER_OK);
        go_to(slot);
    }
}

static void
ten_thousand_fibers_come_and_go(void **state)
{
    (void)state;
    assert_int_equal(status_of(make_very_many), 0);
}

static void
make_one_in_every_slot(void)
{
    body = end_at_once;
    for (uint32_t slot = 1; slot < FIBER_SLOTS; slot++)
        CHECK(make_fiber(slot, slot) == ENGINE_FIBER_OK);
    for (uint32_t slot = FIBER_SLOTS - 1; slot > 0; slot--)
        go_to(slot);
}

static void
every_slot_may_live_at_once(void **state)
{
    (void)state;
    assert_int_equal(status_of(make_one_in_every_slot), 0);
}

/* ---- before it is allowed ---- */

static void
a_process_that_may_not_have_fibers_makes_none(void **state)
{
    (void)state;
    assert_int_equal(make_fiber(1, 0), ENGINE_FIBER_NOT_ALLOWED);
    assert_int_equal(ask_for(FIBER_SWITCH, 1), ENGINE_FIBER_NOT_ALLOWED);
    assert_int_equal(set_flags(4096, 4096, 1), ENGINE_FIBER_NOT_ALLOWED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fiber_has_its_own_stacks_and_goes_on_where_it_was),
        cmocka_unit_test(registers_are_kept),
        cmocka_unit_test(a_fiber_that_returns_is_a_trap),
        cmocka_unit_test(slots_without_a_fiber_cannot_be_gone_to),
        cmocka_unit_test(slots_have_bounds),
        cmocka_unit_test(a_slot_keeps_its_stack_for_the_next_fiber),
        cmocka_unit_test(ten_thousand_fibers_come_and_go),
        cmocka_unit_test(every_slot_may_live_at_once),
        cmocka_unit_test(a_process_that_may_not_have_fibers_makes_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
