/* link: tests/unit/engine/fiber_world.c */
/* Preemption: flags that a timer of CPU time sets. */
#include "tests/unit/engine/fiber_world.h"

#include <time.h>

#define FLAGS (1u << 20) /* a linear address */

/* ---- preemption ---- */

static void
compute_for(long milliseconds)
{
    struct timespec now;
    clock_t unused = 0;
    long end_ms = -1, at_ms;

    do {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        at_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000;
        if (end_ms < 0)
            end_ms = at_ms + milliseconds;
        unused++;
    } while (at_ms < end_ms);
}

static void
compute_and_look_at_flags(void)
{
    volatile uint32_t *places = engine_memory_at(FLAGS, 8);
    const struct timespec pause = {.tv_nsec = 100 * 1000000};

    places[0] = places[1] = 0;
    CHECK(set_flags(FLAGS, FLAGS + 4, 5000) == ENGINE_FIBER_OK);
    /* Sleeping takes no CPU time, and is not interrupted. */
    CHECK(nanosleep(&pause, NULL) == 0);
    CHECK(places[0] == 0 && places[1] == 0);
    for (int i = 0; i < 3; i++) {
        places[0] = places[1] = 0;
        compute_for(100);
        CHECK(places[0] == 1 && places[1] == 1);
    }
    CHECK(set_flags(FLAGS, FLAGS + 4, 0) == ENGINE_FIBER_OK);
    places[0] = places[1] = 0;
    compute_for(100);
    CHECK(places[0] == 0 && places[1] == 0);
}

static void
flags_are_set_while_the_guest_computes(void **state)
{
    (void)state;
    assert_int_equal(status_of(compute_and_look_at_flags), 0);
}

static void
preempt_with_wrong_flags(void)
{
    const uint32_t end_of_memory = MEMORY_MIB << 20;
    const uint32_t wrong[][2] = {{FLAGS + 1, FLAGS},         {FLAGS, FLAGS + 2},
                                 {end_of_memory, FLAGS},     {FLAGS, end_of_memory},
                                 {UINT32_MAX - 3, FLAGS},    {FLAGS, UINT32_MAX},
                                 {end_of_memory - 2, FLAGS}, {FLAGS, end_of_memory - 1}};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CHECK(set_flags(wrong[i][0], wrong[i][1], 1000) == ENGINE_FIBER_INVALID);
    compute_for(20);
    CHECK(set_flags(end_of_memory - 4, 0, UINT32_MAX) == ENGINE_FIBER_OK);
    CHECK(set_flags(1, 1, 0) == ENGINE_FIBER_OK);
}

static void
flags_must_lie_in_memory(void **state)
{
    (void)state;
    assert_int_equal(status_of(preempt_with_wrong_flags), 0);
}

static void
preempt_into_guard(void)
{
    CHECK(make_fiber(1, 0) == ENGINE_FIBER_OK);
    CHECK(set_flags(guard_of(1), guard_of(1), 1) == ENGINE_FIBER_OK);
    compute_for(1000);
}

static void
flags_in_a_guard_are_a_trap(void **state)
{
    (void)state;
    assert_int_equal(status_of(preempt_into_guard), TRAPPED(ENGINE_TRAP_OUT_OF_BOUNDS));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_set_while_the_guest_computes),
        cmocka_unit_test(flags_must_lie_in_memory),
        cmocka_unit_test(flags_in_a_guard_are_a_trap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
