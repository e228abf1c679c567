/* link: tests/unit/wasi/fixture.c tests/unit/wasi/image.c */
#include <stdio.h>

#include "tests/unit/wasi/fixture.h"

static struct wasi_filestat stat;

static uint32_t
lstat_path(const char *path)
{
    return stat_at(ROOT, path, 0, &stat);
}

static uint32_t
readlink_path(const char *path, char *buffer, uint32_t size, uint32_t *length)
{
    uint32_t ret = guest_place(4), place = guest_place(size);
    uint32_t error =
        wasi_path_readlink(ROOT, guest_string(path), (uint32_t)strlen(path), place, size, ret);

    if (error == WASI_OK) {
        *length = guest_u32(ret);
        memcpy(buffer, guest_memory + place, *length);
    }
    return error;
}

static void
dots_and_slashes_do_not_matter(void **state)
{
    (void)state;
    assert_int_equal(stat_path("lib//python/./os.py", &stat), WASI_OK);
    assert_int_equal(stat.size, 10);
    assert_int_equal(stat_path("lib/../etc/../lib/python/../python/os.py", &stat), WASI_OK);
    assert_int_equal(stat_path(".", &stat), WASI_OK);
    assert_int_equal(stat.filetype, WASI_FILETYPE_DIRECTORY);
    assert_int_equal(stat_path("lib/", &stat), WASI_OK);
    assert_int_equal(stat_path("lib/.", &stat), WASI_OK);
    assert_int_equal(stat_path("hello.txt/", &stat), WASI_ENOTDIR);
    assert_int_equal(stat_path("hello.txt/.", &stat), WASI_ENOTDIR);
    assert_int_equal(stat_path("hello.txt/..", &stat), WASI_ENOTDIR);
    assert_int_equal(stat_path("nothing/..", &stat), WASI_ENOENT);
}

static void
the_root_is_its_own_parent(void **state)
{
    struct wasi_filestat root;

    (void)state;
    assert_int_equal(stat_path(".", &root), WASI_OK);
    assert_int_equal(stat_path("..", &stat), WASI_OK);
    assert_int_equal(stat.ino, root.ino);
    assert_int_equal(stat_path("../../lib/../..", &stat), WASI_OK);
    assert_int_equal(stat.ino, root.ino);
}

static void
no_path_leads_above_its_descriptor(void **state)
{
    int lib = open_at(ROOT, "lib", WASI_OPEN_DIRECTORY, DIRECTORY, 0);

    (void)state;
    assert_true(lib > 3);
    assert_int_equal(stat_at((uint32_t)lib, "python/../python/os.py", 1, &stat), WASI_OK);
    assert_int_equal(stat_at((uint32_t)lib, "..", 1, &stat), WASI_EPERM);
    assert_int_equal(stat_at((uint32_t)lib, "../etc", 1, &stat), WASI_EPERM);
    assert_int_equal(stat_at((uint32_t)lib, "python/../../lib", 1, &stat), WASI_EPERM);
    assert_int_equal(stat_at((uint32_t)lib, "/lib", 1, &stat), WASI_EPERM);
    /* A link of the image that would lead out of it. */
    assert_int_equal(stat_at((uint32_t)lib, "python/up", 1, &stat), WASI_EPERM);
    assert_int_equal(stat_at((uint32_t)lib, "link", 1, &stat), WASI_OK);
}

static void
malformed_paths_are_refused(void **state)
{
    static char text[5000];

    (void)state;
    assert_int_equal(stat_path("", &stat), WASI_ENOENT);
    assert_int_equal(stat_path("/lib", &stat), WASI_EPERM);
    assert_int_equal(wasi_path_filestat_get(ROOT, 0, guest_string("lib\0x"), 5, guest_place(64)),
                     WASI_EINVAL);
    memset(text, 'n', 256);
    assert_int_equal(stat_path(text, &stat), WASI_ENAMETOOLONG);
    text[255] = '\0';
    assert_int_equal(stat_path(text, &stat), WASI_ENOENT);
    memset(text, '/', sizeof(text) - 1);
    memcpy(text, "lib", 3);
    text[4097] = '\0';
    assert_int_equal(stat_path(text, &stat), WASI_ENAMETOOLONG);
    text[4096] = '\0';
    assert_int_equal(stat_path(text, &stat), WASI_OK);
    assert_int_equal(stat_at(ROOT, "lib", 2, &stat), WASI_EINVAL);
}

static void
names_are_any_bytes(void **state)
{
    (void)state;
    make_file("work/\xff\xfe\x01 \n", "text");
    assert_file("work/\xff\xfe\x01 \n", "text");
}

static void
only_directories_are_starting_points(void **state)
{
    int file = open_at(ROOT, "hello.txt", 0, READ, 0);

    (void)state;
    assert_int_equal(stat_at((uint32_t)file, "x", 1, &stat), WASI_ENOTDIR);
    assert_int_equal(stat_at(1, "x", 1, &stat), WASI_ENOTDIR);
    assert_int_equal(stat_at(99, "x", 1, &stat), WASI_EBADF);
    assert_int_equal(stat_at(UINT32_MAX, "x", 1, &stat), WASI_EBADF);
}

static void
links_are_followed_when_asked_for(void **state)
{
    (void)state;
    assert_int_equal(stat_path("lib/link", &stat), WASI_OK);
    assert_int_equal(stat.filetype, WASI_FILETYPE_REGULAR_FILE);
    assert_int_equal(lstat_path("lib/link"), WASI_OK);
    assert_int_equal(stat.filetype, WASI_FILETYPE_SYMBOLIC_LINK);
    assert_int_equal(stat.size, 12);
    assert_int_equal(stat_path("lib/python/up", &stat), WASI_OK);
    assert_int_equal(stat.size, 13);
    assert_int_equal(stat_path("link-out", &stat), WASI_OK);
    assert_int_equal(stat.size, 10);
    assert_int_equal(stat_path("lib/link/", &stat), WASI_ENOTDIR);
    assert_int_equal(lstat_path("lib/link/"), WASI_ENOTDIR);
    assert_int_equal(symlink_path("../lib", "work/l"), WASI_OK);
    assert_int_equal(lstat_path("work/l/"), WASI_OK);
    assert_int_equal(stat.filetype, WASI_FILETYPE_DIRECTORY);
    assert_int_equal(stat_path("work/l/python/os.py", &stat), WASI_OK);
    assert_int_equal(symlink_path("/lib/python/", "work/abs"), WASI_OK);
    assert_int_equal(stat_path("work/abs/os.py", &stat), WASI_OK);
    assert_int_equal(symlink_path("/", "work/slash"), WASI_OK);
    assert_int_equal(stat_path("work/slash", &stat), WASI_OK);
    assert_int_equal(stat_path("work/slash/lib/link", &stat), WASI_OK);
}

static void
absolute_links_are_for_the_root_alone(void **state)
{
    int work = open_at(ROOT, "work", WASI_OPEN_DIRECTORY, DIRECTORY, 0);

    (void)state;
    assert_int_equal(symlink_path("/lib", "work/abs"), WASI_OK);
    assert_int_equal(stat_at((uint32_t)work, "abs", 1, &stat), WASI_EPERM);
    assert_int_equal(
        wasi_path_symlink(guest_string("/lib"), 4, (uint32_t)work, guest_string("b"), 1),
        WASI_EPERM);
    assert_int_equal(wasi_path_symlink(guest_string("x"), 1, (uint32_t)work, guest_string("b"), 1),
                     WASI_OK);
}

static void
loops_and_long_chains_end(void **state)
{
    char name[32] = "work/0", target[32] = "../hello.txt";

    (void)state;
    assert_int_equal(symlink_path("self", "work/self"), WASI_OK);
    assert_int_equal(stat_path("work/self", &stat), WASI_ELOOP);
    assert_int_equal(stat_path("work/self/x", &stat), WASI_ELOOP);
    assert_int_equal(open_file("work/self", WASI_OPEN_CREAT), -WASI_ELOOP);
    assert_int_equal(symlink_path("b", "work/a"), WASI_OK);
    assert_int_equal(symlink_path("a", "work/b"), WASI_OK);
    assert_int_equal(stat_path("work/a", &stat), WASI_ELOOP);
    for (int i = 0; i < 33; i++) {
        snprintf(name, sizeof(name), "work/%d", i);
        assert_int_equal(symlink_path(target, name), WASI_OK);
        assert_int_equal(stat_path(name, &stat), i < 32 ? WASI_OK : WASI_ELOOP);
        snprintf(target, sizeof(target), "%d", i);
    }
}

static void
links_are_read_and_cut_to_the_buffer(void **state)
{
    char buffer[32];
    uint32_t length;

    (void)state;
    assert_int_equal(readlink_path("lib/link", buffer, 32, &length), WASI_OK);
    assert_int_equal(length, 12);
    assert_memory_equal(buffer, "python/os.py", 12);
    assert_int_equal(readlink_path("lib/link", buffer, 6, &length), WASI_OK);
    assert_int_equal(length, 6);
    assert_int_equal(readlink_path("lib/link", buffer, 0, &length), WASI_OK);
    assert_int_equal(length, 0);
    assert_int_equal(readlink_path("hello.txt", buffer, 32, &length), WASI_EINVAL);
    assert_int_equal(readlink_path("lib", buffer, 32, &length), WASI_EINVAL);
    assert_int_equal(readlink_path("no", buffer, 32, &length), WASI_ENOENT);
    assert_int_equal(symlink_path("gone", "work/d"), WASI_OK);
    assert_int_equal(readlink_path("work/d", buffer, 32, &length), WASI_OK);
    assert_int_equal(readlink_path("work/d/", buffer, 32, &length), WASI_ENOENT);
}

static void
making_a_link_needs_a_target_and_a_new_name(void **state)
{
    static char target[4200];

    (void)state;
    assert_int_equal(symlink_path("", "work/l"), WASI_ENOENT);
    assert_int_equal(symlink_path("x", "work"), WASI_EEXIST);
    assert_int_equal(symlink_path("x", "work/main/"), WASI_ENOENT);
    assert_int_equal(symlink_path("x", "lib/l"), WASI_EROFS);
    assert_int_equal(symlink_path("x", "nothing/l"), WASI_ENOENT);
    memset(target, 't', 4096);
    assert_int_equal(symlink_path(target, "work/l"), WASI_ENAMETOOLONG);
    target[4095] = '\0';
    assert_int_equal(symlink_path(target, "work/l"), WASI_OK);
    assert_int_equal(symlink_path("x", "work/l"), WASI_EEXIST);
    assert_int_equal(unlink_path("work/l"), WASI_OK);
    assert_int_equal(wasi_state.used_bytes, 0);
}

static void
opening_follows_flags(void **state)
{
    (void)state;
    make_file("work/f", "text");
    assert_int_equal(open_file("work/none", 0), -WASI_ENOENT);
    assert_int_equal(open_file("work/f", WASI_OPEN_CREAT | WASI_OPEN_EXCL), -WASI_EEXIST);
    assert_int_equal(open_file("work/f", WASI_OPEN_DIRECTORY), -WASI_ENOTDIR);
    assert_int_equal(open_file("work", WASI_OPEN_DIRECTORY), -WASI_EISDIR);
    assert_true(open_at(ROOT, "work", WASI_OPEN_DIRECTORY, 0, 0) > 3);
    assert_true(open_at(ROOT, "work", 0, READ, 0) > 3);
    assert_int_equal(open_at(ROOT, "work", WASI_OPEN_CREAT, READ, 0), -WASI_EISDIR);
    assert_int_equal(open_at(ROOT, "work", WASI_OPEN_TRUNC, READ, 0), -WASI_EISDIR);
    assert_int_equal(open_file("work/f", WASI_OPEN_CREAT | WASI_OPEN_DIRECTORY), -WASI_EINVAL);
    assert_int_equal(open_file("work/f", 16), -WASI_EINVAL);
    assert_int_equal(open_at(ROOT, "work/f", 0, READ, 32), -WASI_EINVAL);
    assert_int_equal(open_file("work/f/", 0), -WASI_ENOTDIR);
    assert_int_equal(open_file("work/f/", WASI_OPEN_CREAT), -WASI_EISDIR);
    assert_int_equal(open_file("work/new/", WASI_OPEN_CREAT), -WASI_EISDIR);
    assert_int_equal(open_file("work/none/new", WASI_OPEN_CREAT), -WASI_ENOENT);
    assert_int_equal(open_file("work/f/new", WASI_OPEN_CREAT), -WASI_ENOTDIR);
    assert_file("work/f", "text");
}

static void
opening_a_link_itself_is_a_loop(void **state)
{
    uint32_t ret = guest_place(4);

    (void)state;
    assert_int_equal(wasi_path_open(ROOT, 0, guest_string("lib/link"), 8, 0, READ, 0, 0, ret),
                     WASI_ELOOP);
    assert_int_equal(
        wasi_path_open(ROOT, 0, guest_string("lib/link"), 8, WASI_OPEN_DIRECTORY, 0, 0, 0, ret),
        WASI_ENOTDIR);
}

static void
a_dangling_link_is_made_whole_but_not_exclusively(void **state)
{
    (void)state;
    assert_int_equal(symlink_path("target", "work/l"), WASI_OK);
    assert_int_equal(open_file("work/l", 0), -WASI_ENOENT);
    assert_int_equal(open_file("work/l", WASI_OPEN_CREAT | WASI_OPEN_EXCL), -WASI_EEXIST);
    make_file("work/l", "through");
    assert_file("work/target", "through");
    assert_int_equal(symlink_path("../etc/new", "work/e"), WASI_OK);
    assert_int_equal(open_file("work/e", WASI_OPEN_CREAT), -WASI_EROFS);
}

static void
directories_are_made_and_removed(void **state)
{
    (void)state;
    assert_int_equal(make_dir("work/d"), WASI_OK);
    assert_int_equal(make_dir("work/d"), WASI_EEXIST);
    assert_int_equal(make_dir("work/d/e/"), WASI_OK);
    assert_int_equal(make_dir("work/x/y"), WASI_ENOENT);
    assert_int_equal(make_dir("."), WASI_EEXIST);
    assert_int_equal(make_dir(".."), WASI_EEXIST);
    assert_int_equal(make_dir("work"), WASI_EEXIST);
    assert_int_equal(make_dir("new"), WASI_EROFS);
    assert_int_equal(make_dir("lib/new"), WASI_EROFS);
    assert_int_equal(remove_dir("work/d"), WASI_ENOTEMPTY);
    assert_int_equal(remove_dir("work/d/e/."), WASI_EINVAL);
    assert_int_equal(remove_dir("work/d/e/.."), WASI_ENOTEMPTY);
    assert_int_equal(remove_dir("work/d/e/"), WASI_OK);
    assert_int_equal(remove_dir("work/d"), WASI_OK);
    assert_int_equal(remove_dir("work/d"), WASI_ENOENT);
    assert_int_equal(remove_dir("work"), WASI_EROFS);
    assert_int_equal(remove_dir("lib"), WASI_EROFS);
    assert_int_equal(remove_dir("hello.txt"), WASI_ENOTDIR);
}

static void
files_and_directories_are_removed_by_their_own_calls(void **state)
{
    (void)state;
    make_file("work/f", "");
    assert_int_equal(make_dir("work/d"), WASI_OK);
    assert_int_equal(symlink_path("d", "work/l"), WASI_OK);
    assert_int_equal(unlink_path("work/d"), WASI_EISDIR);
    assert_int_equal(unlink_path("work/d/"), WASI_EISDIR);
    assert_int_equal(unlink_path("work/f/"), WASI_ENOTDIR);
    assert_int_equal(unlink_path("work/l/"), WASI_ENOTDIR);
    assert_int_equal(remove_dir("work/f"), WASI_ENOTDIR);
    assert_int_equal(remove_dir("work/l"), WASI_ENOTDIR);
    assert_int_equal(remove_dir("work/l/"), WASI_ENOTDIR);
    assert_int_equal(unlink_path("work/l"), WASI_OK);
    assert_int_equal(unlink_path("work/f"), WASI_OK);
    assert_int_equal(unlink_path("work/f"), WASI_ENOENT);
    assert_int_equal(unlink_path("hello.txt"), WASI_EROFS);
    assert_int_equal(unlink_path("."), WASI_EISDIR);
    assert_int_equal(stat_path("work/d", &stat), WASI_OK);
}

static void
a_removed_directory_stays_empty_while_open(void **state)
{
    (void)state;
    assert_int_equal(make_dir("work/d"), WASI_OK);
    int fd = open_at(ROOT, "work/d", WASI_OPEN_DIRECTORY, DIRECTORY, 0);
    assert_int_equal(remove_dir("work/d"), WASI_OK);
    assert_int_equal(wasi_path_create_directory((uint32_t)fd, guest_string("x"), 1), WASI_ENOENT);
    assert_int_equal(open_at((uint32_t)fd, "x", WASI_OPEN_CREAT, WRITE, 0), -WASI_ENOENT);
    assert_int_equal(stat_at((uint32_t)fd, ".", 0, &stat), WASI_OK);
    assert_int_equal(stat.nlink, 0);
    assert_int_equal(wasi_fd_close((uint32_t)fd), WASI_OK);
}

static void
a_removed_directory_is_its_own_parent(void **state)
{
    uint32_t place = guest_place(64), ret = guest_place(4);
    struct wasi_dirent dirent;

    (void)state;
    assert_int_equal(make_dir("work/d"), WASI_OK);
    assert_int_equal(make_dir("work/d/e"), WASI_OK);
    int fd = open_at(ROOT, "work/d/e", WASI_OPEN_DIRECTORY, DIRECTORY, 0);
    assert_int_equal(remove_dir("work/d/e"), WASI_OK);
    assert_int_equal(remove_dir("work/d"), WASI_OK);
    assert_int_equal(stat_at((uint32_t)fd, ".", 0, &stat), WASI_OK);
    assert_int_equal(wasi_fd_readdir((uint32_t)fd, place, 64, 1, ret), WASI_OK);
    memcpy(&dirent, guest_memory + place, sizeof(dirent));
    assert_int_equal(dirent.ino, stat.ino);
}

static void
hard_links_are_the_same_file(void **state)
{
    struct wasi_filestat other;

    (void)state;
    make_file("work/a", "shared");
    assert_int_equal(link_path("work/a", "work/b", 0), WASI_OK);
    assert_int_equal(stat_path("work/a", &stat), WASI_OK);
    assert_int_equal(stat_path("work/b", &other), WASI_OK);
    assert_int_equal(stat.ino, other.ino);
    assert_int_equal(stat.nlink, 2);
    make_file("work/b", "changed");
    assert_file("work/a", "changed");
    assert_int_equal(unlink_path("work/a"), WASI_OK);
    assert_file("work/b", "changed");
    assert_int_equal(link_path("work/b", "work/b", 0), WASI_EEXIST);
    assert_int_equal(link_path("work/b", "work/c/", 0), WASI_ENOENT);
    assert_int_equal(link_path("work/none", "work/c", 0), WASI_ENOENT);
    assert_int_equal(link_path("work", "work/c", 0), WASI_EPERM);
    assert_int_equal(link_path("work/b", "lib/c", 0), WASI_EROFS);
    assert_int_equal(link_path("hello.txt", "work/c", 0), WASI_EXDEV);
    assert_int_equal(link_path("dev/null", "work/c", 0), WASI_EXDEV);
    assert_int_equal(link_path("work/b", "work/c", 2), WASI_EINVAL);
}

static void
a_hard_link_to_a_link_or_to_what_it_names(void **state)
{
    (void)state;
    make_file("work/a", "file");
    assert_int_equal(symlink_path("a", "work/l"), WASI_OK);
    assert_int_equal(link_path("work/l", "work/same", 0), WASI_OK);
    assert_int_equal(lstat_path("work/same"), WASI_OK);
    assert_int_equal(stat.filetype, WASI_FILETYPE_SYMBOLIC_LINK);
    assert_int_equal(link_path("work/l", "work/file", WASI_LOOKUP_FOLLOW), WASI_OK);
    assert_int_equal(lstat_path("work/file"), WASI_OK);
    assert_int_equal(stat.filetype, WASI_FILETYPE_REGULAR_FILE);
    assert_int_equal(symlink_path("none", "work/dangling"), WASI_OK);
    assert_int_equal(link_path("work/dangling", "work/x", WASI_LOOKUP_FOLLOW), WASI_EINVAL);
    assert_int_equal(link_path("work/none", "work/x", WASI_LOOKUP_FOLLOW), WASI_ENOENT);
    assert_int_equal(link_path("work/dangling", "work/x", 0), WASI_OK);
}

static void
the_limit_of_names_is_exact_and_given_back(void **state)
{
    char path[32];

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < NODE_LIMIT; i++) {
            snprintf(path, sizeof(path), "tmp/%u", i);
            assert_int_equal(make_dir(path), WASI_OK);
        }
        assert_int_equal(make_dir("tmp/more"), WASI_ENOSPC);
        assert_int_equal(open_file("tmp/more", WASI_OPEN_CREAT), -WASI_ENOSPC);
        for (uint32_t i = 0; i < NODE_LIMIT; i++) {
            snprintf(path, sizeof(path), "tmp/%u", i);
            assert_int_equal(remove_dir(path), WASI_OK);
        }
    }
}

static void
what_the_host_makes_hides_what_the_image_has(void **state)
{
    (void)state;
    assert_int_equal(stat_path("tmp/hidden", &stat), WASI_ENOENT);
    make_file("tmp/hidden", "mine");
    assert_file("tmp/hidden", "mine");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(dots_and_slashes_do_not_matter, fixture_setup),
        cmocka_unit_test_setup(the_root_is_its_own_parent, fixture_setup),
        cmocka_unit_test_setup(no_path_leads_above_its_descriptor, fixture_setup),
        cmocka_unit_test_setup(malformed_paths_are_refused, fixture_setup),
        cmocka_unit_test_setup(names_are_any_bytes, fixture_setup),
        cmocka_unit_test_setup(only_directories_are_starting_points, fixture_setup),
        cmocka_unit_test_setup(links_are_followed_when_asked_for, fixture_setup),
        cmocka_unit_test_setup(absolute_links_are_for_the_root_alone, fixture_setup),
        cmocka_unit_test_setup(loops_and_long_chains_end, fixture_setup),
        cmocka_unit_test_setup(links_are_read_and_cut_to_the_buffer, fixture_setup),
        cmocka_unit_test_setup(making_a_link_needs_a_target_and_a_new_name, fixture_setup),
        cmocka_unit_test_setup(opening_follows_flags, fixture_setup),
        cmocka_unit_test_setup(opening_a_link_itself_is_a_loop, fixture_setup),
        cmocka_unit_test_setup(a_dangling_link_is_made_whole_but_not_exclusively, fixture_setup),
        cmocka_unit_test_setup(directories_are_made_and_removed, fixture_setup),
        cmocka_unit_test_setup(files_and_directories_are_removed_by_their_own_calls, fixture_setup),
        cmocka_unit_test_setup(a_removed_directory_stays_empty_while_open, fixture_setup),
        cmocka_unit_test_setup(a_removed_directory_is_its_own_parent, fixture_setup),
        cmocka_unit_test_setup(hard_links_are_the_same_file, fixture_setup),
        cmocka_unit_test_setup(a_hard_link_to_a_link_or_to_what_it_names, fixture_setup),
        cmocka_unit_test_setup(the_limit_of_names_is_exact_and_given_back, fixture_setup),
        cmocka_unit_test_setup(what_the_host_makes_hides_what_the_image_has, fixture_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
