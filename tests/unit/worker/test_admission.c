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

static const struct job_maxima maxima = {.code_bytes = 10,
                                         .input_bytes = 20,
                                         .files = 2,
                                         .files_bytes = 30,
                                         .limits = {
#define JOB_LIMIT(field, since, least, most, meaning) .field = 1000,
#include "common/job_limits.def"
#undef JOB_LIMIT
                                         }};

static const struct limit {
    const char *name;
    size_t offset;
} limits[] = {
#define JOB_LIMIT(field, since, least, most, meaning) {#field, offsetof(struct job, limits.field)},
#include "common/job_limits.def"
#undef JOB_LIMIT
};
#define LIMIT_COUNT (sizeof(limits) / sizeof(limits[0]))

static uint32_t *
limit_of(struct job *job, size_t i)
{
    return (uint32_t *)(void *)((char *)job + limits[i].offset);
}

static struct job
make_job(size_t code_bytes, size_t input_bytes)
{
    struct job job = {.code.size = code_bytes, .input.size = input_bytes};

    for (size_t i = 0; i < LIMIT_COUNT; i++)
        *limit_of(&job, i) = 1;
    return job;
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
    static const uint32_t asked[] = {999, 1000, 1001, UINT32_MAX}, got[] = {999, 1000, 1000, 1000};

    (void)state;
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        for (size_t n = 0; n < 4; n++) {
            struct err err = ERR_INIT;
            struct job job = make_job(0, 0);
            *limit_of(&job, i) = asked[n];
            assert_int_equal(job_admit(&maxima, &job, &err), 0);
            assert_int_equal(*limit_of(&job, i), got[n]);
        }
    }
}

static void
files_are_admitted_up_to_their_number_and_size(void **state)
{
    static char data[31];
    static const struct {
        size_t first, second, third;
        const char *named; /* NULL: admitted */
    } rows[] = {{15, 14, SIZE_MAX, NULL},
                {15, 15, SIZE_MAX, NULL},
                {15, 16, SIZE_MAX, "MAX_FILES_BYTES"},
                {31, SIZE_MAX, SIZE_MAX, "MAX_FILES_BYTES"},
                {0, 0, 0, "(MAX_FILES)"}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = ERR_INIT;
        struct job job = make_job(0, 0);
        const size_t sizes[] = {rows[i].first, rows[i].second, rows[i].third};
        for (size_t n = 0; n < 3 && sizes[n] != SIZE_MAX; n++)
            assert_int_equal(job_files_add(&job.files, "abc" + n, 1, data, sizes[n]), 0);
        assert_int_equal(job_admit(&maxima, &job, &err), rows[i].named ? -1 : 0);
        if (rows[i].named) {
            assert_int_equal(err.code, ERR_REJECTED);
            assert_non_null(strstr(err.text, rows[i].named));
        }
        job.code.size = job.input.size = 0;
        job_fini(&job);
    }
}

static void
an_engine_without_files_rejects_them(void **state)
{
    struct job_maxima none = maxima;
    struct job job = make_job(0, 0);
    struct err err = ERR_INIT;

    (void)state;
    none.files = 0;
    assert_int_equal(job_admit(&none, &job, &err), 0);
    assert_int_equal(job_files_add(&job.files, "a", 1, NULL, 0), 0);
    assert_int_equal(job_admit(&none, &job, &err), -1);
    assert_int_equal(err.code, ERR_REJECTED);
    assert_non_null(strstr(err.text, "engine"));
    job_fini(&job);
}

static void
zero_does_not_mean_unlimited(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        struct err err = ERR_INIT;
        struct job job = make_job(0, 0);
        *limit_of(&job, i) = 0;
        assert_int_equal(job_admit(&maxima, &job, &err), -1);
        assert_int_equal(err.code, ERR_REJECTED);
        assert_non_null(strstr(err.text, limits[i].name));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_up_to_the_maxima_are_admitted),
        cmocka_unit_test(one_byte_more_is_rejected_with_the_name_of_the_limit),
        cmocka_unit_test(limits_are_lowered_and_never_raised),
        cmocka_unit_test(files_are_admitted_up_to_their_number_and_size),
        cmocka_unit_test(an_engine_without_files_rejects_them),
        cmocka_unit_test(zero_does_not_mean_unlimited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
