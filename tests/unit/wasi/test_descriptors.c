/* link: tests/unit/wasi/fixture.c tests/unit/wasi/image.c */
#include "tests/unit/wasi/fixture.h"

static struct wasi_fdstat
fdstat(uint32_t fd)
{
    struct wasi_fdstat stat;
    uint32_t ret = guest_place(sizeof(stat));

    assert_int_equal(wasi_fd_fdstat_get(fd, ret), WASI_OK);
    memcpy(&stat, guest_memory + ret, sizeof(stat));
    return stat;
}

static void
the_root_is_preopened(void **state)
{
    uint32_t ret = guest_place(8), name = guest_place(8);

    (void)state;
    assert_int_equal(wasi_fd_prestat_get(ROOT, ret), WASI_OK);
    assert_int_equal(guest_u32(ret), 0);
    assert_int_equal(guest_u32(ret + 4), 1);
    assert_int_equal(wasi_fd_prestat_dir_name(ROOT, name, 1), WASI_OK);
    assert_int_equal(guest_memory[name], '/');
    assert_int_equal(wasi_fd_prestat_dir_name(ROOT, name, 0), WASI_ENAMETOOLONG);
    assert_int_equal(wasi_fd_prestat_get(4, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_prestat_get(0, ret), WASI_EBADF);
    assert_int_equal(fdstat(ROOT).filetype, WASI_FILETYPE_DIRECTORY);
    assert_int_equal(fdstat(ROOT).rights_base & WASI_RIGHT_FD_SEEK, 0);
}

static void
standard_streams_are_what_they_seem(void **state)
{
    char buffer[4];
    uint32_t ret = guest_place(8);

    (void)state;
    assert_int_equal(fdstat(0).filetype, WASI_FILETYPE_REGULAR_FILE);
    assert_int_equal(read_text(0, buffer, 4), 0);
    assert_int_equal(write_text(0, "x"), -WASI_EBADF);
    assert_int_equal(write_text(1, "out"), 3);
    assert_int_equal(write_text(2, "error"), 5);
    assert_memory_equal(fixture_output[0], "out", 3);
    assert_memory_equal(fixture_output[1], "error", 5);
    assert_int_equal(read_text(1, buffer, 4), -WASI_EBADF);
    assert_int_equal(fdstat(1).filetype, WASI_FILETYPE_UNKNOWN);
    assert_int_equal(wasi_fd_seek(1, 0, WASI_WHENCE_CUR, ret), WASI_ESPIPE);
    assert_int_equal(wasi_fd_tell(2, ret), WASI_ESPIPE);
    assert_int_equal(wasi_fd_advise(1, 0, 0, 0), WASI_ESPIPE);
    assert_int_equal(wasi_fd_sync(1), WASI_OK);
}

static void
descriptors_are_closed_and_used_again(void **state)
{
    (void)state;
    assert_int_equal(open_at(ROOT, "hello.txt", 0, READ, 0), 4);
    assert_int_equal(open_at(ROOT, "hello.txt", 0, READ, 0), 5);
    assert_int_equal(wasi_fd_close(4), WASI_OK);
    assert_int_equal(wasi_fd_close(4), WASI_EBADF);
    assert_int_equal(open_at(ROOT, "hello.txt", 0, READ, 0), 4);
    assert_int_equal(wasi_fd_close(0), WASI_OK);
    assert_int_equal(open_at(ROOT, "hello.txt", 0, READ, 0), 0);
    assert_int_equal(wasi_fd_close(1), WASI_OK);
    assert_int_equal(write_text(1, "x"), -WASI_EBADF);
    assert_int_equal(wasi_fd_close(UINT32_MAX), WASI_EBADF);
    assert_int_equal(wasi_fd_close(ROOT), WASI_OK);
    assert_int_equal(open_at(ROOT, "hello.txt", 0, READ, 0), -WASI_EBADF);
}

static void
there_are_256_descriptors(void **state)
{
    (void)state;
    for (int fd = 4; fd < 256; fd++)
        assert_int_equal(open_at(ROOT, "hello.txt", 0, READ, 0), fd);
    assert_int_equal(open_at(ROOT, "hello.txt", 0, READ, 0), -WASI_EMFILE);
    assert_int_equal(open_file("work/new", WASI_OPEN_CREAT), -WASI_EMFILE);
    struct wasi_filestat stat;
    assert_int_equal(stat_path("work/new", &stat), WASI_ENOENT);
    assert_int_equal(wasi_fd_close(200), WASI_OK);
    assert_int_equal(open_at(ROOT, "hello.txt", 0, READ, 0), 200);
}

static void
renumbering_replaces_an_open_descriptor(void **state)
{
    uint32_t ret = guest_place(8);

    (void)state;
    make_file("work/a", "");
    int fd = open_file("work/a", 0);
    assert_int_equal(wasi_fd_renumber((uint32_t)fd, 1), WASI_OK);
    assert_int_equal(wasi_fd_close((uint32_t)fd), WASI_EBADF);
    assert_int_equal(write_text(1, "redirected"), 10);
    assert_file("work/a", "redirected");
    assert_int_equal(fixture_output_bytes[0], 0);
    assert_int_equal(wasi_fd_renumber(1, 1), WASI_OK);
    assert_int_equal(wasi_fd_renumber(1, 77), WASI_EBADF);
    assert_int_equal(wasi_fd_renumber(77, 1), WASI_EBADF);
    assert_int_equal(wasi_fd_renumber(2, ROOT), WASI_OK);
    assert_int_equal(wasi_fd_prestat_get(ROOT, ret), WASI_EBADF);
}

static void
rights_only_ever_shrink(void **state)
{
    char buffer[4];
    int fd = open_at(ROOT, "hello.txt", 0, READ, 0);

    (void)state;
    assert_int_equal(fdstat((uint32_t)fd).rights_base & (READ | WRITE), READ);
    assert_int_equal(wasi_fd_fdstat_set_rights((uint32_t)fd, READ | WRITE, 0), WASI_ENOTCAPABLE);
    assert_int_equal(wasi_fd_fdstat_set_rights((uint32_t)fd, WASI_RIGHT_FD_TELL, 0), WASI_OK);
    assert_int_equal(read_text((uint32_t)fd, buffer, 4), -WASI_EBADF);
    assert_int_equal(wasi_fd_fdstat_set_rights((uint32_t)fd, READ, 0), WASI_ENOTCAPABLE);
    assert_int_equal(wasi_fd_fdstat_set_rights(99, 0, 0), WASI_EBADF);
}

static void
what_a_directory_does_not_inherit_cannot_be_had_from_it(void **state)
{
    int work = open_at(ROOT, "work", WASI_OPEN_DIRECTORY, DIRECTORY, 0);

    (void)state;
    make_file("work/a", "text");
    assert_int_equal(
        wasi_fd_fdstat_set_rights(
            (uint32_t)work, DIRECTORY & 0x7fffffff & fdstat((uint32_t)work).rights_base, READ),
        WASI_OK);
    assert_true(open_at((uint32_t)work, "a", 0, READ, 0) > 0);
    assert_int_equal(open_at((uint32_t)work, "a", 0, READ | WRITE, 0), -WASI_ENOTCAPABLE);
    assert_int_equal(wasi_fd_fdstat_set_rights((uint32_t)work, WASI_RIGHT_PATH_OPEN, READ),
                     WASI_OK);
    assert_int_equal(open_at((uint32_t)work, "b", WASI_OPEN_CREAT, READ, 0), -WASI_ENOTCAPABLE);
    assert_int_equal(open_at((uint32_t)work, "a", WASI_OPEN_TRUNC, READ, 0), -WASI_EPERM);
    assert_int_equal(wasi_path_unlink_file((uint32_t)work, guest_string("a"), 1), WASI_ENOTCAPABLE);
    struct wasi_filestat stat;
    assert_int_equal(stat_at((uint32_t)work, "a", 0, &stat), WASI_ENOTCAPABLE);
    assert_file("work/a", "text");
}

static void
flags_are_kept_and_checked(void **state)
{
    int fd = open_at(ROOT, "work/a", WASI_OPEN_CREAT, EVERYTHING, WASI_FDFLAG_APPEND);

    (void)state;
    assert_int_equal(fdstat((uint32_t)fd).flags, WASI_FDFLAG_APPEND);
    assert_int_equal(wasi_fd_fdstat_set_flags((uint32_t)fd, 4), WASI_OK);
    assert_int_equal(fdstat((uint32_t)fd).flags, 4);
    assert_int_equal(wasi_fd_fdstat_set_flags((uint32_t)fd, 32), WASI_EINVAL);
    assert_int_equal(wasi_fd_fdstat_set_flags(99, 0), WASI_EBADF);
}

static void
directories_have_no_bytes(void **state)
{
    char buffer[4];
    uint32_t ret = guest_place(8);

    (void)state;
    assert_int_equal(read_text(ROOT, buffer, 4), -WASI_EBADF);
    assert_int_equal(write_text(ROOT, "x"), -WASI_EBADF);
    assert_int_equal(wasi_fd_seek(ROOT, 0, WASI_WHENCE_SET, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_tell(ROOT, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_advise(ROOT, 0, 0, 0), WASI_EBADF);
    assert_int_equal(wasi_fd_allocate(ROOT, 0, 1), WASI_EBADF);
    assert_int_equal(wasi_fd_filestat_set_size(ROOT, 0), WASI_EBADF);
}

static void
advice_is_checked_and_ignored(void **state)
{
    int fd = open_at(ROOT, "hello.txt", 0, DIRECTORY, 0);

    (void)state;
    assert_int_equal(wasi_fd_advise((uint32_t)fd, 0, 100, 5), WASI_OK);
    assert_int_equal(wasi_fd_advise((uint32_t)fd, 0, 100, 6), WASI_EINVAL);
    assert_int_equal(wasi_fd_advise((uint32_t)fd, UINT64_MAX, 1, 0), WASI_EINVAL);
    assert_int_equal(wasi_fd_advise(99, 0, 1, 0), WASI_EBADF);
}

static void
there_are_no_sockets(void **state)
{
    uint32_t ret = guest_place(8);

    (void)state;
    assert_int_equal(wasi_sock_accept(1, 0, ret), WASI_ENOTSOCK);
    assert_int_equal(wasi_sock_recv(0, 0, 0, 0, ret, ret), WASI_ENOTSOCK);
    assert_int_equal(wasi_sock_send(1, 0, 0, 0, ret), WASI_ENOTSOCK);
    assert_int_equal(wasi_sock_shutdown(ROOT, 1), WASI_EBADF);
    assert_int_equal(wasi_sock_shutdown(9, 1), WASI_EBADF);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_root_is_preopened, fixture_setup),
        cmocka_unit_test_setup(standard_streams_are_what_they_seem, fixture_setup),
        cmocka_unit_test_setup(descriptors_are_closed_and_used_again, fixture_setup),
        cmocka_unit_test_setup(there_are_256_descriptors, fixture_setup),
        cmocka_unit_test_setup(renumbering_replaces_an_open_descriptor, fixture_setup),
        cmocka_unit_test_setup(rights_only_ever_shrink, fixture_setup),
        cmocka_unit_test_setup(what_a_directory_does_not_inherit_cannot_be_had_from_it,
                               fixture_setup),
        cmocka_unit_test_setup(flags_are_kept_and_checked, fixture_setup),
        cmocka_unit_test_setup(directories_have_no_bytes, fixture_setup),
        cmocka_unit_test_setup(advice_is_checked_and_ignored, fixture_setup),
        cmocka_unit_test_setup(there_are_no_sockets, fixture_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
