#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/code_patterns.h"

/* The line in which one of the built-in patterns is found; 0: none. */
static size_t
line_of(const char *code)
{
    struct code_patterns patterns = {0};
    struct err err = ERR_INIT;
    size_t line;
    assert_int_equal(code_patterns_load(&patterns, "", &err), 0);
    const char *found = code_patterns_find(&patterns, code, strlen(code), &line);
    code_patterns_fini(&patterns);
    return found ? line : 0;
}

static void
a_pattern_is_found_with_its_line(void **state)
{
    (void)state;
    assert_int_equal(line_of("import os"), 1);
    assert_int_equal(line_of("x = 1\n\n  import \t os\n"), 3);
    assert_int_equal(line_of("print(eval('1'))"), 1);
    assert_int_equal(line_of("\r\neval  ('1')"), 2);
    assert_int_equal(line_of("# mentions exec( too"), 1);
    assert_int_equal(line_of("x.__import__"), 1);
}

static void
a_part_of_a_name_is_no_pattern(void **state)
{
    (void)state;
    static const char *const codes[] = {"",
                                        "\n\n",
                                        "import ossaudiodev",
                                        "reimport os",
                                        "importos",
                                        "import\nos",
                                        "ast.literal_eval('1')",
                                        "r\xc3\xa9"
                                        "eval(1)",
                                        "eval",
                                        "my__import__",
                                        "import osé"};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        assert_int_equal(line_of(codes[i]), 0);
}

static int
load_text(struct code_patterns *patterns, const char *text, struct err *err)
{
    char path[] = "/tmp/retort-patterns-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    int status = code_patterns_load(patterns, path, err);
    unlink(path);
    return status;
}

static void
a_file_replaces_the_list(void **state)
{
    (void)state;
    struct code_patterns patterns = {0};
    struct err err = ERR_INIT;
    size_t line;
    assert_int_equal(load_text(&patterns, "# ours\n\n  std::fs \nprocess.exit", &err), 0);
    assert_int_equal(patterns.count, 2);
    const char code[] = "import os\nuse std::fs;";
    assert_string_equal(code_patterns_find(&patterns, code, sizeof(code) - 1, &line), "std::fs");
    assert_int_equal(line, 2);
    code_patterns_fini(&patterns);
    assert_int_equal(load_text(&patterns, "", &err), 0);
    assert_null(code_patterns_find(&patterns, code, sizeof(code) - 1, &line));
    code_patterns_fini(&patterns);
}

static void
a_file_that_cannot_be_or_is_too_much_is_refused(void **state)
{
    (void)state;
    struct code_patterns patterns = {0};
    struct err err = ERR_INIT;
    assert_int_equal(code_patterns_load(&patterns, "/nonexistent", &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.text, "/nonexistent"));
    char text[CODE_PATTERN_BYTES + 3];
    memset(text, 'x', sizeof(text));
    text[CODE_PATTERN_BYTES + 2] = '\0';
    err = (struct err)ERR_INIT;
    assert_int_equal(load_text(&patterns, text, &err), -1);
    assert_non_null(strstr(err.text, "line 1"));
    code_patterns_fini(&patterns);
    char many[2 * CODE_PATTERNS_MOST + 3];
    for (size_t i = 0; i <= CODE_PATTERNS_MOST; i++)
        memcpy(many + 2 * i, "x\n", 3);
    err = (struct err)ERR_INIT;
    assert_int_equal(load_text(&patterns, many, &err), -1);
    code_patterns_fini(&patterns);
    many[2 * CODE_PATTERNS_MOST] = '\0';
    err = (struct err)ERR_INIT;
    assert_int_equal(load_text(&patterns, many, &err), 0);
    code_patterns_fini(&patterns);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_is_found_with_its_line),
        cmocka_unit_test(a_part_of_a_name_is_no_pattern),
        cmocka_unit_test(a_file_replaces_the_list),
        cmocka_unit_test(a_file_that_cannot_be_or_is_too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
