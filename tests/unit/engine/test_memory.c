/* Linear memory: bounds, growth, limits, zero pages, forks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/engine/engine.h"
#include "worker/engine/peak.h"

#define PAGE          ((uint64_t)ENGINE_PAGE_BYTES)
#define INITIAL_PAGES 4u
#define MAXIMUM_PAGES 16u
#define HOST_PAGE     4096u

const struct engine_module engine_module = {
    .sha256 = "",
    .memory_base = UINT64_C(0x200000000000),
    .initial_pages = INITIAL_PAGES,
    .maximum_pages = MAXIMUM_PAGES,
};

static int refusals;

void
engine_module_init(void)
{
    memcpy(engine_memory_at(8, 5), "hello", 5);
}

void
engine_module_start(void)
{
    *(uint8_t *)engine_memory_at(7, 1) = 'S';
}

static void
count_refusal(void)
{
    refusals++;
}

static void
map_once(void **state)
{
    static bool mapped;
    struct err err = ERR_INIT;

    (void)state;
    refusals = 0;
    engine_hooks.on_memory_refused = count_refusal;
    if (mapped)
        return;
    mapped = true;
    assert_int_equal(engine_load(&err), 0);
}

static int
setup(void **state)
{
    map_once(state);
    return 0;
}

/* Runs check in a child, so that what it grows stays its own; it must not fail. */
static void
in_child(void (*check)(void))
{
    int status = -1;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        check();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#define CHILD_ASSERT(condition)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            _exit(__LINE__ % 255 + 1);                                                             \
    } while (0)

static void
loading_maps_memory_and_then_fills_in_the_data(void **state)
{
    (void)state;
    assert_int_equal(engine_memory_bytes(), INITIAL_PAGES * PAGE);
    assert_memory_equal(engine_memory_at(8, 5), "hello", 5);
    engine_start();
    assert_int_equal(*(uint8_t *)engine_memory_at(7, 1), 'S');
}

static void
ranges_inside_memory_are_given_and_ranges_outside_are_not(void **state)
{
    uint32_t end = (uint32_t)(INITIAL_PAGES * PAGE);

    (void)state;
    assert_ptr_equal(engine_memory_at(0, end), (void *)engine_module.memory_base);
    assert_ptr_equal(engine_memory_at(end - 1, 1), (char *)engine_module.memory_base + end - 1);
    assert_null(engine_memory_at(end - 1, 2));
    assert_null(engine_memory_at(end, 1));
    assert_null(engine_memory_at(UINT32_MAX, 1));
    assert_null(engine_memory_at(0, (uint64_t)end + 1));
    assert_null(engine_memory_at(1, UINT64_MAX));
    assert_null(engine_memory_at(UINT32_MAX, UINT64_MAX));
}

static void
an_empty_range_is_inside_up_to_the_end(void **state)
{
    uint32_t end = (uint32_t)(INITIAL_PAGES * PAGE);

    (void)state;
    assert_non_null(engine_memory_at(0, 0));
    assert_non_null(engine_memory_at(end, 0));
    assert_null(engine_memory_at(end + 1, 0));
}

static void
grow_in_steps(void)
{
    uint32_t end = (uint32_t)(INITIAL_PAGES * PAGE);

    CHILD_ASSERT(engine_memory_grow(0) == INITIAL_PAGES);
    CHILD_ASSERT(engine_memory_grow(2) == INITIAL_PAGES);
    CHILD_ASSERT(engine_memory_bytes() == (INITIAL_PAGES + 2) * PAGE);
    memset(engine_memory_at(end, 2 * PAGE), 0xee, 2 * PAGE);
    CHILD_ASSERT(engine_memory_at(end, 2 * PAGE + 1) == NULL);
    CHILD_ASSERT(engine_memory_grow(MAXIMUM_PAGES - INITIAL_PAGES - 2) == INITIAL_PAGES + 2);
    CHILD_ASSERT(refusals == 0);
    CHILD_ASSERT(engine_memory_grow(1) == UINT32_MAX && refusals == 1);
    CHILD_ASSERT(engine_memory_grow(UINT32_MAX) == UINT32_MAX && refusals == 2);
    CHILD_ASSERT(engine_memory_bytes() == MAXIMUM_PAGES * PAGE);
}

static void
memory_grows_up_to_its_maximum(void **state)
{
    (void)state;
    in_child(grow_in_steps);
    assert_int_equal(engine_memory_bytes(), INITIAL_PAGES * PAGE);
}

static void
grow_under_limit(void)
{
    engine_set_memory_limit((INITIAL_PAGES + 2) * PAGE - 1); /* rounds down to one page more */
    CHILD_ASSERT(engine_memory_grow(2) == UINT32_MAX && refusals == 1);
    CHILD_ASSERT(engine_memory_grow(1) == INITIAL_PAGES);
    CHILD_ASSERT(engine_memory_grow(1) == UINT32_MAX && refusals == 2);
    engine_set_memory_limit((INITIAL_PAGES + 2) * PAGE);
    CHILD_ASSERT(engine_memory_grow(1) == INITIAL_PAGES + 1);
    engine_set_memory_limit(0); /* what is there stays */
    CHILD_ASSERT(engine_memory_grow(0) == INITIAL_PAGES + 2);
    CHILD_ASSERT(engine_memory_grow(1) == UINT32_MAX);
}

static void
the_limit_refuses_growth_and_may_be_moved(void **state)
{
    (void)state;
    in_child(grow_under_limit);
}

static void
grow_with_a_witness(void)
{
    static _Atomic uint64_t peak;

    CHILD_ASSERT(engine_memory_grow(1) == INITIAL_PAGES);
    engine_memory_peak_bytes = &peak;
    CHILD_ASSERT(engine_memory_grow(1) == INITIAL_PAGES + 1);
    CHILD_ASSERT(peak == (INITIAL_PAGES + 2) * PAGE);
    CHILD_ASSERT(engine_memory_grow(UINT32_MAX) == UINT32_MAX);
    CHILD_ASSERT(peak == (INITIAL_PAGES + 2) * PAGE);
}

static void
what_was_granted_is_kept_where_others_can_read_it(void **state)
{
    (void)state;
    in_child(grow_with_a_witness);
}

static bool
is_resident(const void *page)
{
    unsigned char resident = 0;

    assert_int_equal(mincore((void *)(uintptr_t)page, HOST_PAGE, &resident), 0);
    return resident & 1;
}

static void
only_resident_pages_of_zeroes_are_given_back(void **state)
{
    uint8_t *memory = engine_memory_at(0, INITIAL_PAGES * PAGE);
    uint8_t *full = memory + PAGE, *last_byte = full + HOST_PAGE, *zero = full + 2 * HOST_PAGE;
    uint8_t *also_zero = full + 3 * HOST_PAGE, *untouched = full + 4 * HOST_PAGE;
    uint8_t *end = memory + INITIAL_PAGES * PAGE - HOST_PAGE;

    (void)state;
    memset(full, 1, HOST_PAGE);
    memset(last_byte, 0, HOST_PAGE);
    last_byte[HOST_PAGE - 1] = 2;
    memset(zero, 0, 2 * HOST_PAGE);
    memset(end, 0, HOST_PAGE);
    assert_true(is_resident(zero) && is_resident(also_zero) && is_resident(end));

    engine_release_zero_pages();
    assert_true(is_resident(full) && is_resident(last_byte));
    assert_false(is_resident(zero) || is_resident(also_zero) || is_resident(end));
    assert_false(is_resident(untouched));
    assert_int_equal(full[HOST_PAGE - 1], 1);
    assert_int_equal(last_byte[HOST_PAGE - 1], 2);
    zero[5] = 3;
    assert_int_equal(zero[4] + zero[5], 3);
}

static void
write_in_child(void)
{
    memcpy(engine_memory_at(8, 5), "child", 5);
}

static void
a_fork_has_its_own_memory(void **state)
{
    (void)state;
    in_child(write_in_child);
    assert_memory_equal(engine_memory_at(8, 5), "hello", 5);
}

static void
mapping_twice_is_an_error_and_not_a_mapping_over_the_first(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(engine_load(&err), -1);
    assert_int_equal(err.code, ERR_SANDBOX_ERROR);
    assert_non_null(strstr(err.text, "cannot reserve 8 GiB"));
    assert_memory_equal(engine_memory_at(8, 5), "hello", 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(loading_maps_memory_and_then_fills_in_the_data, setup),
        cmocka_unit_test_setup(ranges_inside_memory_are_given_and_ranges_outside_are_not, setup),
        cmocka_unit_test_setup(an_empty_range_is_inside_up_to_the_end, setup),
        cmocka_unit_test_setup(memory_grows_up_to_its_maximum, setup),
        cmocka_unit_test_setup(the_limit_refuses_growth_and_may_be_moved, setup),
        cmocka_unit_test_setup(what_was_granted_is_kept_where_others_can_read_it, setup),
        cmocka_unit_test_setup(only_resident_pages_of_zeroes_are_given_back, setup),
        cmocka_unit_test_setup(a_fork_has_its_own_memory, setup),
        cmocka_unit_test_setup(mapping_twice_is_an_error_and_not_a_mapping_over_the_first, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
