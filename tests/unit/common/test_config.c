#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/config.h"

/* Every row of the table, for tests that walk it. */
struct row {
    const char *name;
    int programs;
    uint64_t minimum, maximum; /* 0, 0: no number */
};
enum { API = CONFIG_API, WORKER = CONFIG_WORKER, RUN = CONFIG_RUN, ADMIN = CONFIG_ADMIN };
static const struct row rows[] = {
#define OPT_STRING(programs, field, name, def, secret, help)       {#name, programs, 0, 0},
#define OPT_UINT(programs, field, name, def, min, max, unit, help) {#name, programs, min, max},
#define OPT_BOOL(programs, field, name, def, help)                 {#name, programs, 0, 0},
#include "common/options.def"
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static int
setup(void **state)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        unsetenv(rows[i].name);
    (void)state;
    return 0;
}

static struct config
load(enum config_program program)
{
    struct config config;
    struct err err = ERR_INIT;
    if (config_init(&config, program, &err) < 0)
        fail_msg("%s", err.text);
    return config;
}

static void
test_defaults_are_those_of_the_table(void **state)
{
    struct config config = load(CONFIG_API);
    (void)state;
    assert_string_equal(config.host, "127.0.0.1");
    assert_int_equal(config.port, 8000);
    assert_int_equal(config.max_exec_timeout_ms, 5000);
    assert_int_equal(config.max_output_bytes, 1000000);
    assert_int_equal(config.cpu_time_limit_sec, 2);
    assert_int_equal(config.memory_limit_mb, 256);
    assert_false(config.allow_anonymous);
    config_fini(&config);
}

static void
test_flags_win_over_the_environment_over_the_default(void **state)
{
    struct config config;
    struct err err = ERR_INIT;
    char *argv[] = {"x", "--port=3", "--host", "::1", "--allow-anonymous", "rest"};
    int index = 1;
    (void)state;
    setenv("PORT", "2", 1);
    setenv("MAX_OUTPUT_BYTES", "77", 1);
    config = load(CONFIG_API);
    assert_int_equal(config.port, 2);
    assert_int_equal(config_parse_flags(&config, CONFIG_API, 6, argv, &index, &err), 0);
    assert_int_equal(index, 5);
    assert_int_equal(config.port, 3);
    assert_string_equal(config.host, "::1");
    assert_int_equal(config.max_output_bytes, 77);
    assert_true(config.allow_anonymous);
    config_fini(&config);
}

static void
test_an_empty_variable_counts_as_not_set(void **state)
{
    (void)state;
    setenv("PORT", "", 1);
    struct config config = load(CONFIG_API);
    assert_int_equal(config.port, 8000);
    config_fini(&config);
}

static void
test_a_variable_of_another_program_is_not_looked_at(void **state)
{
    (void)state;
    setenv("SLOTS", "rubbish", 1);
    struct config config = load(CONFIG_API);
    config_fini(&config);
}

static void
assert_refused(const char *name, const char *value, const char *expected)
{
    struct config config = load(CONFIG_API);
    struct err err = ERR_INIT;
    assert_int_equal(config_set(&config, CONFIG_API, name, value, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    if (!strstr(err.text, expected))
        fail_msg("\"%s\" does not say \"%s\"", err.text, expected);
    config_fini(&config);
}

static void
test_rubbish_is_refused_with_name_value_and_range(void **state)
{
    static const char *const values[] = {"",
                                         "x",
                                         "1x",
                                         "-1",
                                         "+1",
                                         " 1",
                                         "1 ",
                                         "0x1",
                                         "1e3",
                                         "1k",
                                         "1.0",
                                         "1_000",
                                         "18446744073709551617"};
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        assert_refused("MAX_OUTPUT_BYTES", values[i], "MAX_OUTPUT_BYTES");
        assert_refused("MAX_OUTPUT_BYTES", values[i], "1 to 268435456 bytes");
        assert_refused("MAX_OUTPUT_BYTES", values[i], values[i]);
    }
    assert_refused("ALLOW_ANONYMOUS", "yes", "not 0 or 1");
    assert_refused("NO_SUCH_THING", "1", "NO_SUCH_THING");
}

static void
test_a_bad_variable_stops_the_start(void **state)
{
    struct config config;
    struct err err = ERR_INIT;
    (void)state;
    setenv("PORT", "65536", 1);
    assert_int_equal(config_init(&config, CONFIG_API, &err), -1);
    assert_non_null(strstr(err.text, "environment"));
    assert_non_null(strstr(err.text, "PORT"));
    assert_non_null(strstr(err.text, "65536"));
}

static void
test_every_number_takes_its_bounds_and_nothing_beyond(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        enum config_program program = (enum config_program)(rows[i].programs & -rows[i].programs);
        struct config config = load(program);
        struct err err = ERR_INIT;
        char text[32];
        if (rows[i].maximum == 0) {
            config_fini(&config);
            continue;
        }
        snprintf(text, sizeof(text), "%llu", (unsigned long long)rows[i].minimum);
        assert_int_equal(config_set(&config, program, rows[i].name, text, &err), 0);
        snprintf(text, sizeof(text), "%llu", (unsigned long long)rows[i].maximum);
        assert_int_equal(config_set(&config, program, rows[i].name, text, &err), 0);
        snprintf(text, sizeof(text), "%llu", (unsigned long long)rows[i].maximum + 1);
        assert_int_equal(config_set(&config, program, rows[i].name, text, &err), -1);
        config_fini(&config);
    }
}

static int
parse(struct config *config, int argc, char **argv, int *index, struct err *err)
{
    *index = 1;
    return config_parse_flags(config, CONFIG_RUN, argc, argv, index, err);
}

static void
test_flags_end_at_the_first_argument_that_is_none(void **state)
{
    struct config config = load(CONFIG_RUN);
    struct err err = ERR_INIT;
    int index;
    (void)state;
    assert_int_equal(parse(&config, 3, (char *[]){"x", "-", "--port=1"}, &index, &err), 0);
    assert_int_equal(index, 1);
    assert_int_equal(parse(&config, 3, (char *[]){"x", "--", "--nonsense"}, &index, &err), 0);
    assert_int_equal(index, 2);
    assert_int_equal(parse(&config, 1, (char *[]){"x"}, &index, &err), 0);
    config_fini(&config);
}

static void
test_unknown_and_unfinished_flags_are_refused(void **state)
{
    struct config config = load(CONFIG_RUN);
    struct err err = ERR_INIT;
    int index;
    (void)state;
    assert_int_equal(parse(&config, 2, (char *[]){"x", "--nonsense=secret"}, &index, &err), -1);
    assert_non_null(strstr(err.text, "--nonsense"));
    assert_null(strstr(err.text, "secret"));
    assert_int_equal(parse(&config, 2, (char *[]){"x", "--image"}, &index, &err), -1);
    assert_non_null(strstr(err.text, "needs a value"));
    assert_int_equal(parse(&config, 2, (char *[]){"x", "--port=1"}, &index, &err), -1);
    config_fini(&config);
}

static void
test_a_program_can_have_flags_of_its_own_beside_these(void **state)
{
    struct config config = load(CONFIG_RUN);
    struct err err = ERR_INIT;
    char *argv[] = {"x", "--json", "--memory-limit-mb", "64"};
    int index = 1;
    (void)state;
    assert_int_equal(config_parse_flag(&config, CONFIG_RUN, 4, argv, &index, &err), 0);
    assert_int_equal(index, 1);
    index = 2;
    assert_int_equal(config_parse_flag(&config, CONFIG_RUN, 4, argv, &index, &err), 1);
    assert_int_equal(index, 4);
    assert_int_equal(config.memory_limit_mb, 64);
    config_fini(&config);
}

static char *
printed(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    print(out);
    fclose(out);
    return text;
}

static void
print_worker_help(FILE *out)
{
    config_print_help(CONFIG_WORKER, out);
}

static void
test_help_has_the_rows_of_its_program_and_the_table_has_all(void **state)
{
    char *help = printed(print_worker_help), *table = printed(config_print_markdown);
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        char word[80];
        snprintf(word, sizeof(word), "Environment %s,", rows[i].name);
        assert_int_equal(strstr(help, word) != NULL, (rows[i].programs & WORKER) != 0);
        snprintf(word, sizeof(word), "| `%s` |", rows[i].name);
        assert_non_null(strstr(table, word));
    }
    free(help);
    free(table);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_defaults_are_those_of_the_table),
        TEST(test_flags_win_over_the_environment_over_the_default),
        TEST(test_an_empty_variable_counts_as_not_set),
        TEST(test_a_variable_of_another_program_is_not_looked_at),
        TEST(test_rubbish_is_refused_with_name_value_and_range),
        TEST(test_a_bad_variable_stops_the_start),
        TEST(test_every_number_takes_its_bounds_and_nothing_beyond),
        TEST(test_flags_end_at_the_first_argument_that_is_none),
        TEST(test_unknown_and_unfinished_flags_are_refused),
        TEST(test_a_program_can_have_flags_of_its_own_beside_these),
        TEST(test_help_has_the_rows_of_its_program_and_the_table_has_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
