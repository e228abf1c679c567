#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "common/err.h"

static void
test_setting_returns_minus_one_and_fills_all(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(err_set(&err, ERR_CONFIG, ENOENT, "opening %s", "x"), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_string_equal(err.text, "opening x: No such file or directory");
}

static void
test_wrapping_puts_the_context_in_front_and_keeps_the_code(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    (void)err_set(&err, ERR_SYSTEM, 0, "b");
    assert_int_equal(err_wrap(&err, "%s", "a"), -1);
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_string_equal(err.text, "a: b");
}

static void
test_text_is_one_line_however_long_its_parts(void **state)
{
    struct err err = ERR_INIT;
    char much[1000];
    (void)state;
    memset(much, 'x', sizeof(much) - 1);
    much[sizeof(much) - 1] = '\0';
    much[3] = '\n';
    (void)err_set(&err, ERR_SYSTEM, ENOENT, "%s", much);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_null(strchr(err.text, '\n'));
    (void)err_wrap(&err, "%s", much);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void
test_its_own_text_may_be_an_argument(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    (void)err_set(&err, ERR_SYSTEM, 0, "b");
    (void)err_set(&err, ERR_CONFIG, 0, "a %s c", err.text);
    assert_string_equal(err.text, "a b c");
}

static void
test_every_code_has_its_own_name_that_leads_back_to_it(void **state)
{
    (void)state;
    for (int code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++) {
        const char *name = err_code_name((enum err_code)code);
        assert_int_equal(err_code_from_name(name), code);
        assert_true(err_code_text((enum err_code)code)[0] != '\0');
        assert_in_range(err_code_http_status((enum err_code)code), 400, 599);
    }
    assert_int_equal(err_code_from_name("nonsense"), ERR_NONE);
    assert_string_equal(err_code_name(ERR_NONE), "none");
}

static void
test_a_code_beyond_the_table_reads_as_system(void **state)
{
    (void)state;
    assert_string_equal(err_code_name((enum err_code)1000), "system");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setting_returns_minus_one_and_fills_all),
        cmocka_unit_test(test_wrapping_puts_the_context_in_front_and_keeps_the_code),
        cmocka_unit_test(test_text_is_one_line_however_long_its_parts),
        cmocka_unit_test(test_its_own_text_may_be_an_argument),
        cmocka_unit_test(test_every_code_has_its_own_name_that_leads_back_to_it),
        cmocka_unit_test(test_a_code_beyond_the_table_reads_as_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
