/* link: tests/unit/wasi/fixture.c tests/unit/wasi/image.c */
#include <stdio.h>

#include "tests/unit/wasi/fixture.h"

static struct wasi_filestat stat;

static void
a_file_moves_with_its_contents(void **state)
{
    (void)state;
    make_file("work/a", "text");
    assert_int_equal(make_dir("work/d"), WASI_OK);
    assert_int_equal(rename_path("work/a", "work/d/b"), WASI_OK);
    assert_int_equal(stat_path("work/a", &stat), WASI_ENOENT);
    assert_file("work/d/b", "text");
    assert_int_equal(rename_path("work/d/b", "tmp/c"), WASI_OK);
    assert_file("tmp/c", "text");
    assert_int_equal(rename_path("tmp/none", "tmp/x"), WASI_ENOENT);
    assert_int_equal(rename_path("tmp/c", "tmp/none/x"), WASI_ENOENT);
}

static void
renaming_onto_oneself_changes_nothing(void **state)
{
    (void)state;
    make_file("work/a", "text");
    assert_int_equal(rename_path("work/a", "work/a"), WASI_OK);
    assert_file("work/a", "text");
    assert_int_equal(link_path("work/a", "work/b", 0), WASI_OK);
    assert_int_equal(rename_path("work/a", "work/b"), WASI_OK);
    assert_file("work/a", "text");
    assert_file("work/b", "text");
    assert_int_equal(make_dir("work/d"), WASI_OK);
    assert_int_equal(rename_path("work/d", "work/d"), WASI_OK);
    assert_int_equal(rename_path("work/d/", "work/d"), WASI_OK);
}

static void
what_is_replaced_is_freed_or_lives_in_its_descriptor(void **state)
{
    char buffer[8];

    (void)state;
    make_file("work/a", "new");
    make_file("work/b", "older");
    int fd = open_at(ROOT, "work/b", 0, READ, 0);
    assert_int_equal(rename_path("work/a", "work/b"), WASI_OK);
    assert_file("work/b", "new");
    assert_int_equal(read_text((uint32_t)fd, buffer, 8), 5);
    assert_int_equal(wasi_state.used_bytes, 8);
    assert_int_equal(wasi_fd_close((uint32_t)fd), WASI_OK);
    assert_int_equal(wasi_state.used_bytes, 3);
}

static void
directories_replace_empty_directories_only(void **state)
{
    (void)state;
    assert_int_equal(make_dir("work/a"), WASI_OK);
    assert_int_equal(make_dir("work/empty"), WASI_OK);
    assert_int_equal(make_dir("work/full"), WASI_OK);
    make_file("work/full/f", "");
    make_file("work/file", "");
    make_file("work/a/inner", "in");
    assert_int_equal(rename_path("work/a", "work/full"), WASI_ENOTEMPTY);
    assert_int_equal(rename_path("work/a", "work/file"), WASI_ENOTDIR);
    assert_int_equal(rename_path("work/file", "work/empty"), WASI_EISDIR);
    assert_int_equal(rename_path("work/full", "work"), WASI_EXDEV);
    assert_int_equal(rename_path("work/a", "work/empty"), WASI_OK);
    assert_file("work/empty/inner", "in");
    assert_int_equal(stat_path("work/empty/../full", &stat), WASI_OK);
}

static void
a_directory_never_comes_to_lie_in_itself(void **state)
{
    (void)state;
    assert_int_equal(make_dir("work/a"), WASI_OK);
    assert_int_equal(make_dir("work/a/b"), WASI_OK);
    assert_int_equal(rename_path("work/a", "work/a/c"), WASI_EINVAL);
    assert_int_equal(rename_path("work/a", "work/a/b/c"), WASI_EINVAL);
    assert_int_equal(rename_path("work/a", "work/a/b"), WASI_EINVAL);
    assert_int_equal(rename_path("work/a/b", "work/a"), WASI_ENOTEMPTY);
    assert_int_equal(rename_path("work/a/b", "tmp/b"), WASI_OK);
    assert_int_equal(rename_path("work/a", "tmp/b/a"), WASI_OK);
    assert_int_equal(stat_path("tmp/b/a/../..", &stat), WASI_OK);
}

static void
dots_cannot_be_renamed(void **state)
{
    (void)state;
    assert_int_equal(make_dir("work/a"), WASI_OK);
    assert_int_equal(rename_path("work/a/.", "work/b"), WASI_EBUSY);
    assert_int_equal(rename_path("work/a/..", "work/b"), WASI_EBUSY);
    assert_int_equal(rename_path("work/a", "work/."), WASI_EBUSY);
    assert_int_equal(rename_path(".", "work/b"), WASI_EBUSY);
}

static void
a_slash_at_the_end_asks_for_a_directory(void **state)
{
    (void)state;
    make_file("work/f", "");
    assert_int_equal(make_dir("work/d"), WASI_OK);
    assert_int_equal(symlink_path("d", "work/l"), WASI_OK);
    assert_int_equal(rename_path("work/f/", "work/g"), WASI_ENOTDIR);
    assert_int_equal(rename_path("work/f", "work/g/"), WASI_ENOTDIR);
    assert_int_equal(rename_path("work/f", "work/d/"), WASI_ENOTDIR);
    assert_int_equal(rename_path("work/l/", "work/g"), WASI_ENOTDIR);
    assert_int_equal(rename_path("work/d/", "work/e/"), WASI_OK);
    assert_int_equal(rename_path("work/l", "work/m"), WASI_OK);
    assert_int_equal(stat_path("work/m", &stat), WASI_ENOENT);
    assert_int_equal(rename_path("work/e", "work/d"), WASI_OK);
    assert_int_equal(stat_path("work/m", &stat), WASI_OK);
}

static void
the_image_is_another_file_system(void **state)
{
    (void)state;
    make_file("work/f", "");
    assert_int_equal(rename_path("hello.txt", "work/h"), WASI_EXDEV);
    assert_int_equal(rename_path("work/f", "lib/f"), WASI_EXDEV);
    assert_int_equal(rename_path("work/f", "hello.txt"), WASI_EXDEV);
    assert_int_equal(rename_path("hello.txt", "lib/h"), WASI_EROFS);
    assert_int_equal(rename_path("work", "worked"), WASI_EROFS);
}

static void
a_rename_needs_no_room(void **state)
{
    char path[32];

    (void)state;
    make_file("work/f", "");
    make_file("work/g", "");
    for (uint32_t i = 2; i < NODE_LIMIT; i++) {
        snprintf(path, sizeof(path), "tmp/%u", i);
        assert_int_equal(make_dir(path), WASI_OK);
    }
    assert_int_equal(make_dir("tmp/more"), WASI_ENOSPC);
    assert_int_equal(rename_path("work/f", "tmp/f"), WASI_OK);
    assert_int_equal(rename_path("tmp/f", "work/g"), WASI_OK);
    assert_int_equal(make_dir("tmp/more"), WASI_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_file_moves_with_its_contents, fixture_setup),
        cmocka_unit_test_setup(renaming_onto_oneself_changes_nothing, fixture_setup),
        cmocka_unit_test_setup(what_is_replaced_is_freed_or_lives_in_its_descriptor, fixture_setup),
        cmocka_unit_test_setup(directories_replace_empty_directories_only, fixture_setup),
        cmocka_unit_test_setup(a_directory_never_comes_to_lie_in_itself, fixture_setup),
        cmocka_unit_test_setup(dots_cannot_be_renamed, fixture_setup),
        cmocka_unit_test_setup(a_slash_at_the_end_asks_for_a_directory, fixture_setup),
        cmocka_unit_test_setup(the_image_is_another_file_system, fixture_setup),
        cmocka_unit_test_setup(a_rename_needs_no_room, fixture_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
