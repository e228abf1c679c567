/* The command line of retort-cli-zygote, and the one that it makes for the runtime. */
/* link: worker/cli/options.c worker/cli/runtime.c worker/cli/limits.c worker/cli/bootstrap.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/cli/bootstrap.h"
#include "worker/cli/options.h"
#include "worker/cli/runtime.h"

static struct cli_options options;
static struct err err;

static int
reset(void **state)
{
    (void)state;
    err = (struct err)ERR_INIT;
    return 0;
}

static int
fini(void **state)
{
    (void)state;
    cli_options_fini(&options);
    return 0;
}

static int
parse(const char *const *argv)
{
    int argc = 0;

    while (argv[argc])
        argc++;
    return cli_options_parse(&options, argc, (char **)argv, &err);
}

#define PARSE(...) parse((const char *const[]){"retort-cli-zygote", __VA_ARGS__, NULL})

static void
defaults_are_those_of_the_settings(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--zygote", "--module", "p.wasm"), 0);
    assert_string_equal(options.runtime, "wasmtime");
    assert_int_equal(options.runtime_args_count, 0);
    assert_true(options.isolated);
    assert_int_equal(options.uid, 0);
}

static void
runtime_arguments_are_split_at_spaces(void **state)
{
    static const struct {
        const char *text;
        const char *args[4];
    } rows[] = {
        {"", {NULL}},
        {"   ", {NULL}},
        {"a", {"a", NULL}},
        {" a  b ", {"a", "b", NULL}},
        {"-W x=1 \"q", {"-W", "x=1", "\"q", NULL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(PARSE("--module", "p.wasm", "--runtime-args", rows[i].text), 0);
        size_t n = 0;
        for (; rows[i].args[n]; n++)
            assert_string_equal(options.runtime_args[n], rows[i].args[n]);
        assert_int_equal(options.runtime_args_count, n);
        assert_null(options.runtime_args[n]);
        cli_options_fini(&options);
    }
}

static void
rubbish_is_refused(void **state)
{
    static const char *const uids[] = {"0", "-1", "+1", " 1", "1 ", "1x", "", "2147483648"};

    (void)state;
    assert_int_equal(PARSE("--module", "p.wasm", "--what"), -1);
    cli_options_fini(&options);
    assert_int_equal(PARSE("--zygote"), -1);
    cli_options_fini(&options);
    for (size_t i = 0; i < sizeof(uids) / sizeof(uids[0]); i++) {
        assert_int_equal(PARSE("--module", "p.wasm", "--uid", uids[i]), -1);
        cli_options_fini(&options);
    }
}

/* Compares with a NULL-terminated list, and frees argv. */
static void
expect_argv(char **argv, const char *const *wanted)
{
    size_t i = 0;

    assert_non_null(argv);
    for (; wanted[i]; i++) {
        assert_non_null(argv[i]);
        assert_string_equal(argv[i], wanted[i]);
    }
    assert_null(argv[i]);
    runtime_argv_free(argv);
}

static void
the_command_is_run_module_flag_bootstrap_arguments(void **state)
{
    const char *const none[] = {NULL}, *const some[] = {"-x", "y z", NULL};
    struct runtime_start start = {.options = &options, .args = none, .separator = true};

    (void)state;
    assert_int_equal(PARSE("--runtime", "/r", "--module", "/p.wasm"), 0);
    expect_argv(runtime_argv(&start), (const char *const[]){"/r", "run", "/p.wasm", "--", "-I",
                                                            "-c", cli_bootstrap, NULL});
    start.separator = false;
    start.args = some;
    expect_argv(runtime_argv(&start), (const char *const[]){"/r", "run", "/p.wasm", "-I", "-c",
                                                            cli_bootstrap, "-x", "y z", NULL});
    options.isolated = false;
    expect_argv(runtime_argv(&start), (const char *const[]){"/r", "run", "/p.wasm", "-c",
                                                            cli_bootstrap, "-x", "y z", NULL});
    start.small = true;
    expect_argv(runtime_argv(&start),
                (const char *const[]){"/r", "run", "/p.wasm", "-c", cli_bootstrap_small, "-x",
                                      "y z", NULL});
}

static void
the_memory_limit_is_filled_in_where_it_is_asked_for(void **state)
{
    const char *const none[] = {NULL};
    struct runtime_start start = {
        .options = &options, .args = none, .limits.memory_bytes = 268435456};

    (void)state;
    assert_int_equal(PARSE("--runtime", "/r", "--module", "/p.wasm", "--runtime-args",
                           "-W max-memory-size={memory_bytes} {memory} {memory_bytes}b"),
                     0);
    expect_argv(runtime_argv(&start),
                (const char *const[]){"/r", "run", "-W", "max-memory-size=268435456", "{memory}",
                                      "268435456b", "/p.wasm", "-I", "-c", cli_bootstrap, NULL});
}

static void
the_bootstrap_is_one_argument_of_text(void **state)
{
    (void)state;
    assert_true(strlen(cli_bootstrap) > 100);
    assert_true(strlen(cli_bootstrap) < 131072); /* the kernel's limit of one argument */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, reset, fini)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defaults_are_those_of_the_settings),
        TEST(runtime_arguments_are_split_at_spaces),
        TEST(rubbish_is_refused),
        TEST(the_command_is_run_module_flag_bootstrap_arguments),
        TEST(the_memory_limit_is_filled_in_where_it_is_asked_for),
        TEST(the_bootstrap_is_one_argument_of_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
