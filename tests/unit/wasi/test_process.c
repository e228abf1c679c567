/* link: tests/unit/wasi/fixture.c tests/unit/wasi/image.c */
#include <time.h>

#include "tests/unit/wasi/fixture.h"

static jmp_buf exited;
static uint32_t exit_code;

static __attribute__((noreturn)) void
keep_exit(uint32_t code)
{
    exit_code = code;
    longjmp(exited, 1);
}

static void
arguments_and_environment_are_handed_over(void **state)
{
    uint32_t ret = guest_place(8), array = guest_place(16), text = guest_place(64);

    (void)state;
    assert_int_equal(wasi_args_sizes_get(ret, ret + 4), WASI_OK);
    assert_int_equal(guest_u32(ret), 2);
    assert_int_equal(guest_u32(ret + 4), 10);
    assert_int_equal(wasi_args_get(array, text), WASI_OK);
    assert_memory_equal(guest_memory + text, "python\0-I", 10);
    assert_int_equal(guest_u32(array + 4), text + 7);
    assert_int_equal(wasi_environ_sizes_get(ret, ret + 4), WASI_OK);
    assert_int_equal(guest_u32(ret), 2);
    assert_int_equal(guest_u32(ret + 4), 17);
    assert_int_equal(wasi_environ_get(array, text), WASI_OK);
    assert_memory_equal(guest_memory + text, "A=1\0LONGER=value", 17);
    assert_int_equal(wasi_args_get(MEMORY_BYTES - 4, text), WASI_EFAULT);
    assert_int_equal(wasi_args_get(array, MEMORY_BYTES - 5), WASI_EFAULT);
    assert_int_equal(wasi_args_get(UINT32_MAX - 3, text), WASI_EFAULT);
}

static void
clocks_go_forward(void **state)
{
    uint32_t ret = guest_place(8);

    (void)state;
    for (uint32_t clock = 0; clock < 4; clock++) {
        assert_int_equal(wasi_clock_time_get(clock, 0, ret), WASI_OK);
        uint64_t first = guest_u64(ret);
        assert_int_equal(wasi_clock_time_get(clock, 1, ret), WASI_OK);
        assert_true(guest_u64(ret) >= first);
        assert_int_equal(wasi_clock_res_get(clock, ret), WASI_OK);
        assert_int_equal(guest_u64(ret), 1);
    }
    assert_int_equal(wasi_clock_time_get(0, 0, ret), WASI_OK);
    assert_in_range(guest_u64(ret) / 1000000000u, (uint64_t)time(NULL) - 1,
                    (uint64_t)time(NULL) + 1);
    assert_int_equal(wasi_clock_time_get(4, 0, ret), WASI_EINVAL);
    assert_int_equal(wasi_clock_res_get(UINT32_MAX, ret), WASI_EINVAL);
    assert_int_equal(wasi_clock_time_get(0, 0, MEMORY_BYTES - 7), WASI_EFAULT);
}

static void
random_bytes_fill_the_buffer_and_no_more(void **state)
{
    uint32_t place = guest_place(4096);

    (void)state;
    assert_int_equal(wasi_random_get(place, 4000), WASI_OK);
    int same = 0;
    for (uint32_t i = 0; i < 4000; i++)
        same += guest_memory[place + i] == 0x5a;
    assert_true(same < 100);
    assert_int_equal(guest_memory[place + 4000], 0x5a);
    assert_int_equal(wasi_random_get(place, 0), WASI_OK);
    assert_int_equal(wasi_random_get(0, 0), WASI_OK);
    assert_int_equal(wasi_random_get(place, UINT32_MAX), WASI_EFAULT);
    assert_int_equal(wasi_random_get(0, 1), WASI_EFAULT);
}

static void
exiting_ends_in_the_hook(void **state)
{
    (void)state;
    wasi_state.config.hooks.exit = keep_exit;
    if (setjmp(exited) == 0)
        wasi_proc_exit(77);
    assert_int_equal(exit_code, 77);
}

static void
signals_are_not_supported(void **state)
{
    (void)state;
    assert_int_equal(wasi_proc_raise(6), WASI_ENOTSUP);
    assert_int_equal(wasi_sched_yield(), WASI_OK);
}

static void
limits_beyond_reason_are_refused(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    fixture_config.node_limit = UINT32_MAX;
    assert_int_equal(wasi_init(&fixture_config, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    fixture_config.node_limit = 10;
    fixture_config.work_limit_bytes = UINT64_MAX;
    err = (struct err)ERR_INIT;
    assert_int_equal(wasi_init(&fixture_config, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    fixture_config.work_limit_bytes = 0;
    fixture_config.tree_bytes--;
    err = (struct err)ERR_INIT;
    assert_int_equal(wasi_init(&fixture_config, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

static void
without_an_image_there_is_still_a_world(void **state)
{
    struct err err = ERR_INIT;
    struct wasi_filestat stat;

    (void)state;
    fixture_config.tree = NULL;
    assert_int_equal(wasi_init(&fixture_config, &err), 0);
    make_file("work/a", "text");
    assert_int_equal(stat_path("lib", &stat), WASI_ENOENT);
    assert_int_equal(stat_path("work/..", &stat), WASI_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(arguments_and_environment_are_handed_over, fixture_setup),
        cmocka_unit_test_setup(clocks_go_forward, fixture_setup),
        cmocka_unit_test_setup(random_bytes_fill_the_buffer_and_no_more, fixture_setup),
        cmocka_unit_test_setup(exiting_ends_in_the_hook, fixture_setup),
        cmocka_unit_test_setup(signals_are_not_supported, fixture_setup),
        cmocka_unit_test_setup(limits_beyond_reason_are_refused, fixture_setup),
        cmocka_unit_test_setup(without_an_image_there_is_still_a_world, fixture_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
