/* The command line of retort-admin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "admin/options.h"

static const struct command_row *row;
static struct command_options options;
static struct config config;
static struct err err;

static int
parse(char **argv)
{
    int argc = 0;

    while (argv[argc])
        argc++;
    config_fini(&config);
    err = (struct err)ERR_INIT;
    assert_int_equal(config_init(&config, CONFIG_ADMIN, &err), 0);
    return options_parse(&row, &options, &config, argc, argv, &err);
}

#define PARSE(...) parse((char *[]){"retort-admin", __VA_ARGS__, NULL})

static void
assert_refused(int result, const char *word)
{
    assert_int_equal(result, -1);
    assert_int_equal(err.code, ERR_CONFIG);
    if (!strstr(err.text, word))
        fail_msg("\"%s\" does not say \"%s\"", err.text, word);
}

static void
status_is_what_is_done_without_a_command(void **state)
{
    (void)state;
    assert_int_equal(parse((char *[]){"retort-admin", NULL}), 0);
    assert_string_equal(row->name, "status");
    assert_int_equal(PARSE("--json"), 0);
    assert_string_equal(row->name, "status");
    assert_true(options.json);
}

static void
options_stand_anywhere(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--redis-prefix", "x:", "drain", "--timeout=7", "w1", "--json"), 0);
    assert_string_equal(row->name, "drain");
    assert_string_equal(options.argument, "w1");
    assert_int_equal(options.timeout_s, 7);
    assert_string_equal(config.redis_prefix, "x:");
    assert_int_equal(PARSE("requeue", "--worker", "w2"), 0);
    assert_string_equal(options.worker, "w2");
    assert_int_equal(PARSE("dead", "--drop", "all", "--limit", "10000"), 0);
    assert_string_equal(options.drop, "all");
    assert_int_equal(options.limit, 10000);
}

static void
bad_usage_is_one_sentence(void **state)
{
    (void)state;
    assert_refused(PARSE("frob"), "frob");
    assert_refused(PARSE("drain"), "drain needs more: WORKER");
    assert_refused(PARSE("drain", "a", "b"), "b");
    assert_refused(PARSE("status", "x"), "status takes no more words");
    assert_refused(PARSE("requeue"), "requeue needs more");
    assert_refused(PARSE("requeue", "x", "--worker", "y"), "--worker");
    assert_refused(PARSE("jobs", "--worker", "y"), "--worker");
    assert_refused(PARSE("jobs", "--limit", "0"), "from 1 to 10000");
    assert_refused(PARSE("jobs", "--limit", "10001"), "from 1 to 10000");
    assert_refused(PARSE("jobs", "--limit"), "--limit");
    assert_refused(PARSE("drain", "x", "--timeout", "-1"), "--timeout");
    assert_refused(PARSE("jobs", "--code"), "--code");
    assert_refused(PARSE("jobs", "--drop", "1"), "--drop");
    assert_refused(PARSE("--slots", "1"), "--slots");
    assert_refused(PARSE("--redis-pass=secret"), "--redis-pass");
    assert_null(strstr(err.text, "secret"));
}

static int
tear_down(void **state)
{
    (void)state;
    config_fini(&config);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_is_what_is_done_without_a_command),
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(bad_usage_is_one_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
