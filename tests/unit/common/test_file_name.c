/* Names of files that go into a job and come out of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/file_name.h"
#include "common/job.h"

static void
plain_relative_paths_are_good(void **state)
{
    static const char *const names[] = {"a",
                                        "a.csv",
                                        "a/b",
                                        ".hidden",
                                        "...",
                                        "a/..b/c..",
                                        "-",
                                        "a b",
                                        "a\\b",
                                        "C:a",
                                        "a:b",
                                        "~",
                                        ("gr\xc3\xbc\xc3\x9f"
                                         "e"),
                                        "%2e%2e",
                                        "outputs/a",
                                        "main.pyc"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_null(file_name_fault(names[i], strlen(names[i]), 3));
}

#define BAD(text)                                                                                  \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static void
what_could_leave_its_directory_or_be_read_in_two_ways_is_refused(void **state)
{
    static const struct {
        const char *name;
        size_t size;
    } names[] = {
        BAD(""),      BAD("/"),       BAD("/a"),    BAD("a/"),       BAD("a//b"),
        BAD("."),     BAD(".."),      BAD("./a"),   BAD("../a"),     BAD("a/../b"),
        BAD("a/."),   BAD("a/.."),    BAD("a\0b"),  BAD("\0"),       BAD("a\nb"),
        BAD("a\x7f"), BAD("\x1b[2J"), BAD("a\xff"), BAD("\xc0\xaf"), BAD("\xed\xa0\x80"),
        BAD("\xc3"),  BAD("a/b/c/d"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (file_name_fault(names[i].name, names[i].size, 3) == NULL)
            fail_msg("row %zu, \"%s\", was found good", i, names[i].name);
}

static void
lengths_and_depths_are_exact(void **state)
{
    char name[FILE_NAME_BYTES + 2];

    (void)state;
    memset(name, 'a', sizeof(name));
    assert_null(file_name_fault(name, FILE_NAME_PART_BYTES, 1));
    assert_non_null(file_name_fault(name, FILE_NAME_PART_BYTES + 1, 1));
    for (size_t i = 255; i < sizeof(name); i += 256)
        name[i] = '/';
    assert_null(file_name_fault(name, FILE_NAME_BYTES - 1, 4));
    name[FILE_NAME_BYTES - 1] = 'a';
    name[FILE_NAME_BYTES - 3] = '/';
    assert_null(file_name_fault(name, FILE_NAME_BYTES, 5));
    assert_non_null(file_name_fault(name, FILE_NAME_BYTES, 4));
    assert_non_null(file_name_fault(name, FILE_NAME_BYTES + 1, 5));
}

static const char *
try_name(struct job_files *files, const char *name)
{
    return job_files_name_fault(files, name, strlen(name));
}

static void
a_name_is_given_once(void **state)
{
    struct job job = {.id = ""};

    (void)state;
    assert_int_equal(job_files_add(&job.files, "data/a", 6, "xy", 2), 0);
    assert_int_equal(job_files_add(&job.files, "b", 1, NULL, 0), 0);
    assert_int_equal(job_files_bytes(&job.files), 2);
    assert_non_null(try_name(&job.files, "data/a"));
    assert_non_null(try_name(&job.files, "data"));
    assert_non_null(try_name(&job.files, "data/a/b"));
    assert_non_null(try_name(&job.files, "b/c"));
    assert_null(try_name(&job.files, "data/ab"));
    assert_null(try_name(&job.files, "data/b"));
    assert_null(try_name(&job.files, "dat"));
    assert_null(try_name(&job.files, "bb"));
    job_fini(&job);
    assert_int_equal(job.files.count, 0);
}

static void
the_program_and_its_outputs_stay_where_they_are(void **state)
{
    struct job job = {.id = ""};

    (void)state;
    assert_non_null(try_name(&job.files, "main.py"));
    assert_non_null(try_name(&job.files, "main.py/a"));
    assert_non_null(try_name(&job.files, "outputs"));
    assert_null(try_name(&job.files, "outputs/a"));
    assert_null(try_name(&job.files, "main.p"));
    assert_null(try_name(&job.files, "lib/main.py"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_relative_paths_are_good),
        cmocka_unit_test(what_could_leave_its_directory_or_be_read_in_two_ways_is_refused),
        cmocka_unit_test(lengths_and_depths_are_exact),
        cmocka_unit_test(a_name_is_given_once),
        cmocka_unit_test(the_program_and_its_outputs_stay_where_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
