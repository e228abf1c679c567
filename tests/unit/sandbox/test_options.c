/* The command line of an image's program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "worker/sandbox/options.h"

static int
parse(struct sandbox_options *options, struct err *err, char **argv)
{
    int argc = 0;

    *err = (struct err)ERR_INIT;
    while (argv[argc] != NULL)
        argc++;
    int result = sandbox_options_parse(options, argc, argv, err);
    return result;
}

#define PARSE(options, err, ...) parse(options, err, (char *[]){"program", __VA_ARGS__, NULL})

static void
flags_env_and_arguments_are_told_apart(void **state)
{
    struct sandbox_options options;
    struct err err;

    (void)state;
    assert_int_equal(PARSE(&options, &err, "--zygote", "--bootstrap", "--env", "A=1",
                           "--work-bytes", "4294967296", "--work-files", "7", "--rehearsal", "pass",
                           "--env", "B=", "--", "python", "--env"),
                     0);
    assert_true(options.bootstrap);
    assert_int_equal(options.work_bytes, 4294967296);
    assert_int_equal(options.work_files, 7);
    assert_string_equal(options.rehearsal, "pass");
    assert_string_equal(options.env[0], "A=1");
    assert_string_equal(options.env[1], "B=");
    assert_null(options.env[2]);
    assert_string_equal(options.argv[0], "python");
    assert_string_equal(options.argv[1], "--env");
    assert_null(options.argv[2]);
    free((void *)(uintptr_t)options.env);
}

static void
assert_refused(char **argv)
{
    struct sandbox_options options;
    struct err err;

    assert_int_equal(parse(&options, &err, argv), -1);
    assert_int_equal(err.code, ERR_INVALID);
    free((void *)(uintptr_t)options.env);
}

static void
what_is_not_a_zygotes_command_line_is_refused(void **state)
{
    (void)state;
    assert_refused((char *[]){"program", NULL});
    assert_refused((char *[]){"program", "--", "python", NULL});
    assert_refused((char *[]){"program", "--zygote", NULL});
    assert_refused((char *[]){"program", "--zygote", "--", NULL});
    assert_refused((char *[]){"program", "--zygote", "--rehearsal", NULL});
    assert_refused((char *[]){"program", "--zygote", "--surprise", "1", "--", "x", NULL});
    assert_refused((char *[]){"program", "--zygote", "--env", NULL});
}

static void
numbers_are_plain_and_above_zero(void **state)
{
    static char *const bad[] = {"0", "-1", "+1", " 1", "", "12x", "0x1", "99999999999999999999"};
    static char *const flags[] = {"--work-bytes", "--work-files"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        for (size_t n = 0; n < sizeof(flags) / sizeof(flags[0]); n++)
            assert_refused((char *[]){"program", "--zygote", flags[n], bad[i], "--", "x", NULL});
    assert_refused(
        (char *[]){"program", "--zygote", "--work-files", "4294967295", "--", "x", NULL});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_env_and_arguments_are_told_apart),
        cmocka_unit_test(what_is_not_a_zygotes_command_line_is_refused),
        cmocka_unit_test(numbers_are_plain_and_above_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
