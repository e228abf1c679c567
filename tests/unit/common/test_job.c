#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/job.h"

static void
test_ids_are_32_hex_digits_and_differ(void **state)
{
    char a[JOB_ID_SIZE], b[JOB_ID_SIZE];
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(job_new_id(a, &err), 0);
    assert_int_equal(job_new_id(b, &err), 0);
    assert_int_equal(strspn(a, "0123456789abcdef"), JOB_ID_SIZE - 1);
    assert_int_equal(strlen(a), JOB_ID_SIZE - 1);
    assert_string_not_equal(a, b);
}

static void
test_copied_bytes_end_with_nul_and_empty_ones_are_null(void **state)
{
    struct bytes bytes;
    (void)state;
    assert_int_equal(bytes_copy(&bytes, "ab\0c", 4), 0);
    assert_int_equal(bytes.size, 4);
    assert_memory_equal(bytes.data, "ab\0c", 5);
    bytes_fini(&bytes);
    assert_int_equal(bytes_copy(&bytes, NULL, 0), 0);
    assert_null(bytes.data);
    assert_int_equal(bytes_copy(&bytes, "x", SIZE_MAX), -1);
}

static void
test_freeing_twice_is_legal(void **state)
{
    struct job job = {.language = "python"};
    struct result result = {.exit_code = 1};
    (void)state;
    assert_int_equal(bytes_copy(&job.code, "x", 1), 0);
    assert_int_equal(bytes_copy(&result.out.kept, "x", 1), 0);
    job_fini(&job);
    job_fini(&job);
    result_fini(&result);
    result_fini(&result);
    assert_int_equal(result.exit_code, 0);
}

static void
test_the_monotonic_clock_does_not_go_back(void **state)
{
    uint64_t before = clock_monotonic_us();
    (void)state;
    assert_true(clock_monotonic_us() >= before);
    assert_true(clock_realtime_ms() > 1600000000000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_are_32_hex_digits_and_differ),
        cmocka_unit_test(test_copied_bytes_end_with_nul_and_empty_ones_are_null),
        cmocka_unit_test(test_freeing_twice_is_legal),
        cmocka_unit_test(test_the_monotonic_clock_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
