/* The files of a request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/execute_request.h"

static const struct config config = {.max_exec_timeout_ms = 5000,
                                     .max_output_bytes = 1000,
                                     .cpu_time_limit_sec = 2,
                                     .memory_limit_mb = 256,
                                     .max_work_bytes = 1000,
                                     .max_work_files = 100,
                                     .max_artifacts = 10,
                                     .max_artifact_bytes = 100,
                                     .max_artifacts_total_bytes = 1000,
                                     .max_code_bytes = 20,
                                     .max_stdin_bytes = 10,
                                     .max_files = 3,
                                     .max_files_bytes = 10};

static struct job job;
static struct validation validation;
static struct buffer answer;
static struct err err;

static int
tear_down(void **state)
{
    (void)state;
    job_fini(&job);
    validation_fini(&validation);
    buffer_fini(&answer);
    return 0;
}

/* files: the JSON of the member. Leaves what came of it in the variables above. */
static int
take(const char *files)
{
    struct buffer body = BUFFER_INIT;
    (void)tear_down(NULL);
    err = (struct err)ERR_INIT;
    buffer_printf(&body, "{\"code\":\"x\",\"files\":%s}", files);
    int status = execute_request_parse(&body, &config, &job, &validation, &err);
    validation_put(&validation, &answer);
    buffer_putc(&answer, '\0');
    buffer_fini(&body);
    return status;
}

static void
assert_file(size_t i, const char *name, const char *data, size_t size)
{
    assert_true(i < job.files.count);
    assert_string_equal(job.files.list[i].name.data, name);
    assert_int_equal(job.files.list[i].data.size, size);
    if (size > 0)
        assert_memory_equal(job.files.list[i].data.data, data, size);
}

static void
text_and_bytes_become_files(void **state)
{
    (void)state;
    assert_int_equal(take("[{\"name\":\"a.csv\",\"content\":\"x,y\\u0000\"},"
                          "{\"content_base64\":\"AP8=\",\"name\":\"d/b\",\"mode\":7},"
                          "{\"name\":\"\\u00e9\",\"content\":\"\"}]"),
                     0);
    assert_int_equal(job.files.count, 3);
    assert_file(0, "a.csv", "x,y\0", 4);
    assert_file(1, "d/b", "\0\xff", 2);
    assert_file(2, "\xc3\xa9", NULL, 0);
}

static void
no_files_are_no_fault(void **state)
{
    (void)state;
    assert_int_equal(take("[]"), 0);
    assert_int_equal(job.files.count, 0);
    assert_int_equal(take("null"), 0);
    assert_int_equal(take("[{\"name\":\"a\",\"content_base64\":\"\"}]"), 0);
    assert_file(0, "a", NULL, 0);
}

static void
sizes_are_exact_and_all_files_count_together(void **state)
{
    static const struct {
        const char *files;
        bool fits;
    } rows[] = {
        {"[{\"name\":\"a\",\"content\":\"123456789\"}]", true},
        {"[{\"name\":\"a\",\"content\":\"1234567890\"}]", true},
        {"[{\"name\":\"a\",\"content\":\"12345678901\"}]", false},
        {"[{\"name\":\"a\",\"content_base64\":\"MTIzNDU2Nzg5MA==\"}]", true},
        {"[{\"name\":\"a\",\"content_base64\":\"MTIzNDU2Nzg5MDE=\"}]", false},
        {"[{\"name\":\"a\",\"content_base64\":\"MTIzNDU2Nzg5MDEyMzQ1Njc4\"}]", false},
        {"[{\"name\":\"a\",\"content\":\"12345\"},{\"name\":\"b\",\"content\":\"67890\"}]", true},
        {"[{\"name\":\"a\",\"content\":\"12345\"},{\"name\":\"b\",\"content\":\"678901\"}]", false},
        {"[{\"name\":\"a\",\"content_base64\":\"MTIzNDU=\"},{\"name\":\"b\",\"content\":\"678901\"}"
         "]",
         false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(take(rows[i].files), rows[i].fits ? 0 : -1);
        if (rows[i].fits)
            continue;
        assert_int_equal(validation.count, 0);
        assert_int_equal(err.code, ERR_TOO_LARGE);
        assert_non_null(strstr(err.text, "MAX_FILES_BYTES"));
    }
}

static void
the_number_of_files_is_exact(void **state)
{
    (void)state;
    assert_int_equal(take("[{\"name\":\"a\",\"content\":\"\"},{\"name\":\"b\",\"content\":\"\"},"
                          "{\"name\":\"c\",\"content\":\"\"}]"),
                     0);
    assert_int_equal(take("[{\"name\":\"a\",\"content\":\"\"},{\"name\":\"b\",\"content\":\"\"},"
                          "{\"name\":\"c\",\"content\":\"\"},{\"name\":\"d\",\"content\":\"\"}]"),
                     -1);
    assert_non_null(strstr(answer.data, "\"type\":\"too_long\",\"loc\":[\"body\",\"files\"]"));
    assert_non_null(strstr(answer.data, "MAX_FILES"));
    assert_non_null(strstr(answer.data, "\"max_length\":3,\"actual_length\":4"));
}

static void
what_is_no_file_is_refused_where_it_stands(void **state)
{
    static const char *const rows[][2] = {
        {"{}", "\"type\":\"list_type\",\"loc\":[\"body\",\"files\"]"},
        {"\"a\"", "\"type\":\"list_type\""},
        {"[1]", "\"type\":\"model_attributes_type\",\"loc\":[\"body\",\"files\",0]"},
        {"[{}]", "\"type\":\"missing\",\"loc\":[\"body\",\"files\",0,\"name\"]"},
        {"[{\"name\":\"a\"}]", "\"type\":\"missing\",\"loc\":[\"body\",\"files\",0,\"content\"]"},
        {"[{\"name\":1,\"content\":\"\"}]",
         "\"type\":\"string_type\",\"loc\":[\"body\",\"files\",0,\"name\"]"},
        {"[{\"name\":\"a\",\"content\":null}]",
         "\"type\":\"string_type\",\"loc\":[\"body\",\"files\",0,\"content\"]"},
        {"[{\"name\":\"a\",\"content_base64\":7}]",
         "\"type\":\"string_type\",\"loc\":[\"body\",\"files\",0,\"content_base64\"]"},
        {"[{\"name\":\"a\",\"content\":\"\",\"content_base64\":\"\"}]", "exclude each other"},
        {"[{\"name\":\"a\",\"content_base64\":\"AP8\"}]",
         "\"type\":\"value_error\",\"loc\":[\"body\",\"files\",0,\"content_base64\"]"},
        {"[{\"name\":\"a\",\"content_base64\":\"AP8=\\n\"}]", "not base64"},
        {"[{\"name\":\"a\",\"content\":\"\"},{\"name\":\"a\",\"content\":\"\"}]",
         "\"type\":\"value_error\",\"loc\":[\"body\",\"files\",1,\"name\"]"},
        {"[{\"name\":\"a\",\"content\":\"\"},{\"name\":\"a/b\",\"content\":\"\"}]", "is taken"},
        {"[{\"name\":\"main.py\",\"content\":\"\"}]", "the program's own"},
        {"[{\"name\":\"outputs\",\"content\":\"\"}]", "outputs"},
        {"[{\"name\":\"\",\"content\":\"\"}]", "is empty"},
        {"[{\"name\":\"/etc/passwd\",\"content\":\"\"}]", "must be relative"},
        {"[{\"name\":\"../a\",\"content\":\"\"}]", "\\\"..\\\""},
        {"[{\"name\":\"a\\u0000\",\"content\":\"\"}]", "control character"},
        {"[{\"name\":\"1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17\",\"content\":\"\"}]", "too deep"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(take(rows[i][0]), -1);
        assert_true(validation.count > 0);
        if (!strstr(answer.data, rows[i][1]))
            fail_msg("%s: %s", rows[i][0], answer.data);
    }
    assert_int_equal(take("[{},{\"name\":\"../\",\"content_base64\":\"?\"}]"), -1);
    assert_int_equal(validation.count, 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(text_and_bytes_become_files, tear_down),
        cmocka_unit_test_teardown(no_files_are_no_fault, tear_down),
        cmocka_unit_test_teardown(sizes_are_exact_and_all_files_count_together, tear_down),
        cmocka_unit_test_teardown(the_number_of_files_is_exact, tear_down),
        cmocka_unit_test_teardown(what_is_no_file_is_refused_where_it_stands, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
