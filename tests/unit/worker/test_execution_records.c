/* A queue's job as records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/file_name.h"
#include "worker/executor.h"

static void
a_job_without_files_takes_nothing_from_the_heap(void **state)
{
    struct job job = {.code = {.data = (char[]){"pass"}, .size = 4}};
    struct execution_records records;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(execution_records_init(&records, &job, &err), 0);
    assert_ptr_equal(records.list, records.fixed);
    assert_null(records.paths);
    assert_int_equal(records.count, 3);
    assert_int_equal(records.list[0].type, JOB_RECORD_ARG);
    assert_memory_equal(records.list[0].data, "/work/main.py", 13);
    assert_string_equal(records.list[1].name, "/work/main.py");
    assert_int_equal(records.list[1].size, 4);
    assert_int_equal(records.list[2].type, JOB_RECORD_STDIN);
    execution_records_fini(&records);
}

static void
files_lie_below_work(void **state)
{
    struct job job = {.id = ""};
    struct execution_records records;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(job_files_add(&job.files, "a.csv", 5, "12", 2), 0);
    assert_int_equal(job_files_add(&job.files, "d/b", 3, NULL, 0), 0);
    assert_int_equal(execution_records_init(&records, &job, &err), 0);
    assert_int_equal(records.count, 5);
    assert_int_equal(records.list[3].type, JOB_RECORD_FILE);
    assert_string_equal(records.list[3].name, "/work/a.csv");
    assert_memory_equal(records.list[3].data, "12", 2);
    assert_int_equal(records.list[3].size, 2);
    assert_string_equal(records.list[4].name, "/work/d/b");
    assert_int_equal(records.list[4].size, 0);
    execution_records_fini(&records);
    execution_records_fini(&records);
    job_fini(&job);
}

static void
arguments_follow_the_program_and_come_before_the_environment(void **state)
{
    struct job job = {.id = ""};
    struct execution_records records;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(texts_add(&job.args, "-v", 2), 0);
    assert_int_equal(texts_add(&job.args, "", 0), 0);
    assert_int_equal(texts_add(&job.env, "A=b", 3), 0);
    assert_int_equal(job_files_add(&job.files, "a", 1, "x", 1), 0);
    assert_int_equal(execution_records_init(&records, &job, &err), 0);
    assert_int_equal(records.count, 7);
    assert_int_equal(records.list[3].type, JOB_RECORD_ARG);
    assert_memory_equal(records.list[3].data, "-v", 2);
    assert_int_equal(records.list[4].size, 0);
    assert_int_equal(records.list[5].type, JOB_RECORD_ENV);
    assert_memory_equal(records.list[5].data, "A=b", 3);
    assert_string_equal(records.list[6].name, "/work/a");
    execution_records_fini(&records);
    job_fini(&job);
}

static void
what_the_maxima_allow_fits_into_the_capacity(void **state)
{
    struct job job = {.code = {.size = 1000}, .input = {.size = 2000}};
    struct execution_records records;
    struct err err = ERR_INIT;
    char name[FILE_NAME_BYTES];
    size_t needed = 0;

    (void)state;
    memset(name, 'a', sizeof(name));
    for (int i = 0; i < 8; i++) {
        name[0] = (char)('a' + i);
        assert_int_equal(job_files_add(&job.files, name, sizeof(name), name, 1), 0);
    }
    assert_int_equal(execution_records_init(&records, &job, &err), 0);
    for (size_t i = 0; i < records.count; i++)
        needed += job_record_bytes(records.list[i].name ? strlen(records.list[i].name) : 0,
                                   records.list[i].size);
    assert_true(needed <= execution_input_capacity(1000, 2000, 8, 8));
    execution_records_fini(&records);
    job.code.size = job.input.size = 0;
    job_fini(&job);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_without_files_takes_nothing_from_the_heap),
        cmocka_unit_test(files_lie_below_work),
        cmocka_unit_test(arguments_follow_the_program_and_come_before_the_environment),
        cmocka_unit_test(what_the_maxima_allow_fits_into_the_capacity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
