/* What a job may ask of a worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/admission.h"

static const struct job_maxima maxima = {
    .code_bytes = 10, .input_bytes = 20, .timeout_ms = 1000, .memory_mb = 64, .output_bytes = 500};

static struct job
make_job(size_t code_bytes, size_t input_bytes)
{
    return (struct job){
        .code.size = code_bytes,
        .input.size = input_bytes,
        .limits = {.timeout_ms = 1, .cpu_ms = 1, .memory_mb = 1, .output_bytes = 1}};
}

static void
sizes_up_to_the_maxima_are_admitted(void **state)
{
    struct err err = ERR_INIT;
    struct job job = make_job(10, 20);

    (void)state;
    assert_int_equal(job_admit(&maxima, &job, &err), 0);
    assert_int_equal(err.code, ERR_NONE);
}

static void
one_byte_more_is_rejected_with_the_name_of_the_limit(void **state)
{
    struct err code_err = ERR_INIT, input_err = ERR_INIT;
    struct job long_code = make_job(11, 0), long_input = make_job(0, 21);

    (void)state;
    assert_int_equal(job_admit(&maxima, &long_code, &code_err), -1);
    assert_int_equal(code_err.code, ERR_REJECTED);
    assert_non_null(strstr(code_err.text, "MAX_CODE_BYTES"));
    assert_int_equal(job_admit(&maxima, &long_input, &input_err), -1);
    assert_int_equal(input_err.code, ERR_REJECTED);
    assert_non_null(strstr(input_err.text, "MAX_STDIN_BYTES"));
}

static void
limits_are_lowered_and_never_raised(void **state)
{
    struct err err = ERR_INIT;
    struct job high = make_job(0, 0), low = make_job(0, 0);

    (void)state;
    high.limits = (struct job_limits){1001, 7000, 65, 501};
    low.limits = (struct job_limits){999, 7000, 63, 499};
    assert_int_equal(job_admit(&maxima, &high, &err), 0);
    assert_int_equal(high.limits.timeout_ms, 1000);
    assert_int_equal(high.limits.cpu_ms, 7000);
    assert_int_equal(high.limits.memory_mb, 64);
    assert_int_equal(high.limits.output_bytes, 500);
    assert_int_equal(job_admit(&maxima, &low, &err), 0);
    assert_int_equal(low.limits.timeout_ms, 999);
    assert_int_equal(low.limits.memory_mb, 63);
    assert_int_equal(low.limits.output_bytes, 499);
}

static void
zero_does_not_mean_unlimited(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct err err = ERR_INIT;
        struct job job = make_job(0, 0);
        uint32_t *limits[] = {&job.limits.timeout_ms, &job.limits.cpu_ms, &job.limits.memory_mb,
                              &job.limits.output_bytes};
        *limits[i] = 0;
        assert_int_equal(job_admit(&maxima, &job, &err), -1);
        assert_int_equal(err.code, ERR_REJECTED);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_up_to_the_maxima_are_admitted),
        cmocka_unit_test(one_byte_more_is_rejected_with_the_name_of_the_limit),
        cmocka_unit_test(limits_are_lowered_and_never_raised),
        cmocka_unit_test(zero_does_not_mean_unlimited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
