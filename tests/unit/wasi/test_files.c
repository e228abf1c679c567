/* link: tests/unit/wasi/fixture.c tests/unit/wasi/image.c */
#include "tests/unit/wasi/fixture.h"

#define CREATE (WASI_OPEN_CREAT | WASI_OPEN_TRUNC)

static uint32_t
must_open(const char *path, uint32_t flags)
{
    int fd = open_file(path, flags);

    assert_true(fd >= 0);
    return (uint32_t)fd;
}

static int64_t
seek(uint32_t fd, int64_t offset, uint32_t whence)
{
    uint32_t ret = guest_place(8);
    uint32_t error = wasi_fd_seek(fd, (uint64_t)offset, whence, ret);

    return error != WASI_OK ? -(int64_t)error : (int64_t)guest_u64(ret);
}

static uint64_t
size_of(const char *path)
{
    struct wasi_filestat stat;

    assert_int_equal(stat_path(path, &stat), WASI_OK);
    return stat.size;
}

static void
what_was_written_is_read_back(void **state)
{
    (void)state;
    make_file("work/a", "first line\n");
    assert_file("work/a", "first line\n");
    assert_int_equal(size_of("work/a"), 11);
}

static void
the_image_is_read_and_never_written(void **state)
{
    (void)state;
    assert_file("hello.txt", "hello, image\n");
    assert_int_equal(open_file("hello.txt", 0), -WASI_EROFS);
    assert_int_equal(open_at(ROOT, "hello.txt", WASI_OPEN_TRUNC, READ, 0), -WASI_EROFS);
    assert_int_equal(open_file("etc/new", WASI_OPEN_CREAT), -WASI_EROFS);
    assert_int_equal(open_file("new", WASI_OPEN_CREAT), -WASI_EROFS);
    uint32_t fd = (uint32_t)open_at(ROOT, "hello.txt", 0, READ, 0);
    assert_int_equal(write_text(fd, "x"), -WASI_EBADF);
    assert_int_equal(wasi_fd_filestat_set_size(fd, 0), WASI_EINVAL);
    assert_int_equal(wasi_fd_allocate(fd, 0, 10), WASI_EBADF);
}

static void
a_hole_reads_as_zeroes(void **state)
{
    char buffer[16];
    uint32_t fd = must_open("work/a", CREATE);

    (void)state;
    assert_int_equal(seek(fd, 100000, WASI_WHENCE_SET), 100000);
    assert_int_equal(write_text(fd, "end"), 3);
    assert_int_equal(size_of("work/a"), 100003);
    assert_int_equal(seek(fd, 99990, WASI_WHENCE_SET), 99990);
    assert_int_equal(read_text(fd, buffer, 16), 13);
    assert_memory_equal(buffer, "\0\0\0\0\0\0\0\0\0\0end", 13);
    assert_int_equal(seek(fd, 4000, WASI_WHENCE_SET), 4000);
    assert_int_equal(read_text(fd, buffer, 16), 16);
    assert_memory_equal(buffer, (char[16]){0}, 16);
}

static void
seeking_knows_its_bounds(void **state)
{
    char buffer[4];
    uint32_t fd = must_open("work/a", CREATE);

    (void)state;
    assert_int_equal(write_text(fd, "0123456789"), 10);
    assert_int_equal(seek(fd, -1, WASI_WHENCE_SET), -WASI_EINVAL);
    assert_int_equal(seek(fd, -11, WASI_WHENCE_CUR), -WASI_EINVAL);
    assert_int_equal(seek(fd, -11, WASI_WHENCE_END), -WASI_EINVAL);
    assert_int_equal(seek(fd, 0, 3), -WASI_EINVAL);
    assert_int_equal(seek(fd, INT64_MAX, WASI_WHENCE_CUR), -WASI_EOVERFLOW);
    assert_int_equal(seek(fd, 0, WASI_WHENCE_CUR), 10);
    assert_int_equal(seek(fd, -4, WASI_WHENCE_END), 6);
    assert_int_equal(read_text(fd, buffer, 4), 4);
    assert_memory_equal(buffer, "6789", 4);
    assert_int_equal(seek(fd, INT64_MAX, WASI_WHENCE_SET), INT64_MAX);
    assert_int_equal(read_text(fd, buffer, 4), 0);
    assert_int_equal(write_text(fd, "x"), -WASI_ENOSPC);
    assert_int_equal(size_of("work/a"), 10);
}

static void
appending_ignores_the_position(void **state)
{
    uint32_t fd;

    (void)state;
    make_file("work/a", "one");
    fd = (uint32_t)open_at(ROOT, "work/a", 0, EVERYTHING, WASI_FDFLAG_APPEND);
    assert_int_equal(seek(fd, 0, WASI_WHENCE_SET), 0);
    assert_int_equal(write_text(fd, "two"), 3);
    assert_int_equal(seek(fd, 0, WASI_WHENCE_CUR), 6);
    assert_file("work/a", "onetwo");
    assert_int_equal(wasi_fd_fdstat_set_flags(fd, 0), WASI_OK);
    assert_int_equal(seek(fd, 0, WASI_WHENCE_SET), 0);
    assert_int_equal(write_text(fd, "O"), 1);
    assert_file("work/a", "Onetwo");
}

static void
shrinking_and_growing_again_shows_zeroes(void **state)
{
    uint32_t fd = must_open("work/a", CREATE);
    char buffer[8];

    (void)state;
    assert_int_equal(write_text(fd, "secrets!"), 8);
    assert_int_equal(wasi_fd_filestat_set_size(fd, 3), WASI_OK);
    assert_int_equal(wasi_fd_filestat_set_size(fd, 8), WASI_OK);
    assert_int_equal(seek(fd, 0, WASI_WHENCE_SET), 0);
    assert_int_equal(read_text(fd, buffer, 8), 8);
    assert_memory_equal(buffer, "sec\0\0\0\0\0", 8);
    assert_int_equal(wasi_fd_filestat_set_size(fd, UINT64_MAX), WASI_EINVAL);
    assert_int_equal(wasi_fd_filestat_set_size(fd, WORK_LIMIT + 1), WASI_ENOSPC);
    assert_int_equal(wasi_fd_filestat_set_size(fd, WORK_LIMIT), WASI_OK);
    assert_int_equal(wasi_fd_filestat_set_size(fd, 0), WASI_OK);
}

static void
allocating_only_ever_grows(void **state)
{
    uint32_t fd = must_open("work/a", CREATE);

    (void)state;
    assert_int_equal(wasi_fd_allocate(fd, 10, 90), WASI_OK);
    assert_int_equal(size_of("work/a"), 100);
    assert_int_equal(wasi_fd_allocate(fd, 0, 10), WASI_OK);
    assert_int_equal(size_of("work/a"), 100);
    assert_int_equal(wasi_fd_allocate(fd, 0, 0), WASI_EINVAL);
    assert_int_equal(wasi_fd_allocate(fd, UINT64_MAX, 1), WASI_EINVAL);
    assert_int_equal(wasi_fd_allocate(fd, INT64_MAX, INT64_MAX), WASI_EFBIG);
    assert_int_equal(wasi_fd_allocate(fd, 0, WORK_LIMIT + 1), WASI_ENOSPC);
}

static void
reading_and_writing_at_a_place_leaves_the_position(void **state)
{
    uint32_t fd = must_open("work/a", CREATE), ret = guest_place(4), place = guest_place(16);

    (void)state;
    assert_int_equal(write_text(fd, "0123456789"), 10);
    assert_int_equal(wasi_fd_pwrite(fd, guest_iovs(1, guest_string("ab"), 2u), 1, 4, ret), WASI_OK);
    assert_int_equal(guest_u32(ret), 2);
    assert_int_equal(wasi_fd_pread(fd, guest_iovs(1, place, 16u), 1, 3, ret), WASI_OK);
    assert_int_equal(guest_u32(ret), 7);
    assert_memory_equal(guest_memory + place, "3ab6789", 7);
    assert_int_equal(wasi_fd_pread(fd, guest_iovs(1, place, 16u), 1, 100, ret), WASI_OK);
    assert_int_equal(guest_u32(ret), 0);
    assert_int_equal(wasi_fd_pread(fd, guest_iovs(1, place, 16u), 1, UINT64_MAX, ret), WASI_EINVAL);
    assert_int_equal(wasi_fd_pwrite(fd, guest_iovs(1, place, 1u), 1, UINT64_MAX, ret), WASI_EINVAL);
    assert_int_equal(wasi_fd_pread(1, guest_iovs(1, place, 1u), 1, 0, ret), WASI_ESPIPE);
    assert_int_equal(wasi_fd_pread(ROOT, guest_iovs(1, place, 1u), 1, 0, ret), WASI_EBADF);
    assert_int_equal(seek(fd, 0, WASI_WHENCE_CUR), 10);
}

static void
many_buffers_are_filled_in_order(void **state)
{
    uint32_t fd = must_open("work/a", CREATE), ret = guest_place(4);
    uint32_t a = guest_place(8), b = guest_place(8), c = guest_place(8);

    (void)state;
    assert_int_equal(
        wasi_fd_write(fd, guest_iovs(3, guest_string("ab"), 2u, 0u, 0u, guest_string("cdef"), 4u),
                      3, ret),
        WASI_OK);
    assert_int_equal(guest_u32(ret), 6);
    assert_int_equal(seek(fd, 0, WASI_WHENCE_SET), 0);
    assert_int_equal(wasi_fd_read(fd, guest_iovs(3, a, 1u, b, 4u, c, 8u), 3, ret), WASI_OK);
    assert_int_equal(guest_u32(ret), 6);
    assert_memory_equal(guest_memory + a, "a", 1);
    assert_memory_equal(guest_memory + b, "bcde", 4);
    assert_memory_equal(guest_memory + c, "f\x5a", 2);
}

static void
a_read_into_its_own_buffer_list_is_harmless(void **state)
{
    uint32_t fd, ret = guest_place(4), list = guest_place(16), place = guest_place(8);

    (void)state;
    make_file("work/a", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xffok");
    fd = must_open("work/a", 0);
    uint32_t values[4] = {list, 16, place, 2};
    memcpy(guest_memory + list, values, sizeof(values));
    assert_int_equal(wasi_fd_read(fd, list, 2, ret), WASI_OK);
    assert_int_equal(guest_u32(ret), 18);
    assert_memory_equal(guest_memory + place, "ok", 2);
}

static void
too_many_or_too_long_buffers_are_refused(void **state)
{
    uint32_t ret = guest_place(4), list = guest_place(1025 * sizeof(struct wasi_iovec));

    (void)state;
    for (uint32_t i = 0; i < 1025; i++) {
        uint32_t iovec[2] = {8192, 1};
        memcpy(guest_memory + list + i * sizeof(iovec), iovec, sizeof(iovec));
    }
    assert_int_equal(wasi_fd_write(1, list, 1025, ret), WASI_EINVAL);
    assert_int_equal(wasi_fd_write(1, list, 1024, ret), WASI_OK);
    assert_int_equal(guest_u32(ret), 1024);
    assert_int_equal(wasi_fd_write(1, list, UINT32_MAX, ret), WASI_EINVAL);
    assert_int_equal(wasi_fd_write(1, guest_iovs(1, 8192u, UINT32_MAX), 1, ret), WASI_EFAULT);
    assert_int_equal(wasi_fd_write(1, guest_iovs(1, UINT32_MAX, 2u), 1, ret), WASI_EFAULT);
    assert_int_equal(fixture_output_bytes[0], 1024);
}

static void
buffers_of_more_than_four_gibibytes_are_refused(void **state)
{
    uint32_t ret = guest_place(4), list = guest_place(1024 * sizeof(struct wasi_iovec));

    (void)state;
    for (uint32_t i = 0; i < 1024; i++) {
        uint32_t iovec[2] = {4096, MEMORY_BYTES - 4096};
        memcpy(guest_memory + list + i * sizeof(iovec), iovec, sizeof(iovec));
    }
    assert_int_equal(wasi_fd_write(1, list, 1024, ret), WASI_EINVAL);
    assert_int_equal(wasi_fd_read(0, list, 1024, ret), WASI_EINVAL);
}

/* Bytes that a file of its own may take, by asking. */
static uint64_t
room(void)
{
    uint64_t low = 0, high = WORK_LIMIT + 1;
    uint32_t fd = must_open("tmp/room", CREATE);

    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;
        if (wasi_fd_filestat_set_size(fd, middle) == WASI_OK)
            low = middle;
        else
            high = middle;
    }
    assert_int_equal(wasi_fd_close(fd), WASI_OK);
    assert_int_equal(unlink_path("tmp/room"), WASI_OK);
    return low;
}

static void
the_limit_of_bytes_is_exact(void **state)
{
    uint32_t fd = must_open("work/a", CREATE), ret = guest_place(4);
    uint32_t most = guest_iovs(1, 8192u, WORK_LIMIT);

    (void)state;
    assert_int_equal(write_text(fd, "x"), 1);
    assert_int_equal(wasi_fd_write(fd, most, 1, ret), WASI_OK);
    assert_int_equal(guest_u32(ret), WORK_LIMIT - 1);
    assert_int_equal(write_text(fd, "x"), -WASI_ENOSPC);
    assert_int_equal(seek(fd, 0, WASI_WHENCE_SET), 0);
    assert_int_equal(wasi_fd_write(fd, most, 1, ret), WASI_OK);
    assert_int_equal(guest_u32(ret), WORK_LIMIT);
    assert_int_equal(room(), 0);
    assert_int_equal(wasi_fd_filestat_set_size(fd, 1000), WASI_OK);
    assert_int_equal(room(), WORK_LIMIT - 1000);
    assert_int_equal(wasi_fd_close(fd), WASI_OK);
    assert_int_equal(unlink_path("work/a"), WASI_OK);
    assert_int_equal(room(), WORK_LIMIT);
}

static void
an_unlinked_file_lives_while_it_is_open(void **state)
{
    char buffer[8];
    uint32_t fd = must_open("work/a", CREATE);
    struct wasi_filestat stat;

    (void)state;
    assert_int_equal(write_text(fd, "alive"), 5);
    assert_int_equal(unlink_path("work/a"), WASI_OK);
    assert_int_equal(stat_path("work/a", &stat), WASI_ENOENT);
    assert_int_equal(room(), WORK_LIMIT - 5);
    assert_int_equal(seek(fd, 0, WASI_WHENCE_SET), 0);
    assert_int_equal(read_text(fd, buffer, 8), 5);
    assert_memory_equal(buffer, "alive", 5);
    make_file("work/a", "new");
    assert_int_equal(wasi_fd_close(fd), WASI_OK);
    assert_file("work/a", "new");
    assert_int_equal(room(), WORK_LIMIT - 3);
}

static void
large_sparse_and_cut_files_give_their_blocks_back(void **state)
{
    uint32_t fd = must_open("work/a", CREATE);

    (void)state;
    for (uint32_t round = 0; round < 50; round++) {
        for (uint32_t at = 0; at < WORK_LIMIT; at += 5000) {
            assert_int_equal(seek(fd, (int64_t)at, WASI_WHENCE_SET), at);
            assert_int_equal(write_text(fd, "mark"), 4);
        }
        assert_int_equal(wasi_fd_filestat_set_size(fd, 6000), WASI_OK);
        assert_int_equal(wasi_state.blocks.in_use, 3);
        assert_int_equal(wasi_fd_filestat_set_size(fd, 0), WASI_OK);
        assert_int_equal(wasi_state.blocks.in_use, 0);
    }
    assert_int_equal(wasi_state.used_bytes, 0);
}

static void
assert_at(uint32_t fd, uint64_t offset, const char *text)
{
    uint32_t ret = guest_place(4), place = guest_place(8), size = 4;

    assert_int_equal(wasi_fd_pread(fd, guest_iovs(1, place, size), 1, offset, ret), WASI_OK);
    assert_int_equal(guest_u32(ret), size);
    assert_memory_equal(guest_memory + place, text, size);
}

static void
files_of_many_tables_are_sparse_too(void **state)
{
    struct err err = ERR_INIT;
    const int64_t marks[] = {0, 5 << 20, 20 << 20, (50 << 20) - 2};

    (void)state;
    fixture_config.work_limit_bytes = 64 << 20;
    assert_int_equal(wasi_init(&fixture_config, &err), 0);
    uint32_t fd = must_open("work/a", CREATE);
    assert_int_equal(wasi_fd_allocate(fd, 0, 60 << 20), WASI_OK);
    assert_at(fd, 30 << 20, "\0\0\0\0");
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(seek(fd, marks[i], WASI_WHENCE_SET), marks[i]);
        assert_int_equal(write_text(fd, "mark"), 4);
    }
    for (size_t i = 0; i < 4; i++)
        assert_at(fd, (uint64_t)marks[i], "mark");
    assert_at(fd, 12 << 20, "\0\0\0\0");
    assert_at(fd, (20 << 20) - 2, "\0\0ma");
    assert_int_equal(wasi_state.blocks.in_use, 5 + 1 + 4);
    assert_int_equal(wasi_fd_filestat_set_size(fd, (20 << 20) + 2), WASI_OK);
    assert_int_equal(wasi_fd_filestat_set_size(fd, 60 << 20), WASI_OK);
    assert_at(fd, 20 << 20, "ma\0\0");
    assert_at(fd, (50 << 20) - 2, "\0\0\0\0");
    assert_int_equal(wasi_fd_filestat_set_size(fd, 0), WASI_OK);
    assert_int_equal(wasi_state.blocks.in_use, 0);
}

static void
opening_without_the_right_to_read_or_write_forbids_it(void **state)
{
    char buffer[4];
    uint32_t fd;

    (void)state;
    make_file("work/a", "text");
    fd = (uint32_t)open_at(ROOT, "work/a", 0, WRITE, 0);
    assert_int_equal(read_text(fd, buffer, 4), -WASI_EBADF);
    assert_int_equal(write_text(fd, "T"), 1);
    fd = (uint32_t)open_at(ROOT, "work/a", 0, READ, 0);
    assert_int_equal(write_text(fd, "x"), -WASI_EBADF);
    assert_int_equal(read_text(fd, buffer, 4), 4);
    assert_int_equal(wasi_fd_datasync(fd), WASI_OK);
    assert_int_equal(wasi_fd_sync(fd), WASI_OK);
}

static void
times_follow_writes_and_can_be_set(void **state)
{
    struct wasi_filestat before, after;
    uint32_t fd = must_open("work/a", CREATE);

    (void)state;
    assert_int_equal(wasi_fd_filestat_set_times(fd, 7, 9, WASI_FST_ATIM | WASI_FST_MTIM), WASI_OK);
    assert_int_equal(stat_path("work/a", &before), WASI_OK);
    assert_int_equal(before.atim, 7);
    assert_int_equal(before.mtim, 9);
    assert_true(before.ctim > 9);
    assert_int_equal(write_text(fd, "x"), 1);
    assert_int_equal(stat_path("work/a", &after), WASI_OK);
    assert_true(after.mtim > 9);
    assert_int_equal(after.atim, 7);
    assert_int_equal(wasi_fd_filestat_set_times(fd, 0, 0, WASI_FST_ATIM | WASI_FST_ATIM_NOW),
                     WASI_EINVAL);
    assert_int_equal(wasi_fd_filestat_set_times(fd, 0, 0, 16), WASI_EINVAL);
    assert_int_equal(wasi_fd_filestat_set_times(fd, 0, 0, WASI_FST_ATIM_NOW), WASI_OK);
    assert_int_equal(stat_path("work/a", &after), WASI_OK);
    assert_true(after.atim > 9);
    assert_int_equal(
        wasi_path_filestat_set_times(ROOT, 0, guest_string("hello.txt"), 9, 1, 1, WASI_FST_ATIM),
        WASI_EROFS);
}

static void
an_inode_number_is_never_used_again(void **state)
{
    struct wasi_filestat first, second;

    (void)state;
    make_file("work/a", "one");
    assert_int_equal(stat_path("work/a", &first), WASI_OK);
    assert_int_equal(wasi_path_unlink_file(ROOT, guest_string("work/a"), 6), WASI_OK);
    make_file("work/b", "two");
    assert_int_equal(stat_path("work/b", &second), WASI_OK);
    assert_int_not_equal(first.ino, second.ino);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_was_written_is_read_back, fixture_setup),
        cmocka_unit_test_setup(the_image_is_read_and_never_written, fixture_setup),
        cmocka_unit_test_setup(a_hole_reads_as_zeroes, fixture_setup),
        cmocka_unit_test_setup(seeking_knows_its_bounds, fixture_setup),
        cmocka_unit_test_setup(appending_ignores_the_position, fixture_setup),
        cmocka_unit_test_setup(shrinking_and_growing_again_shows_zeroes, fixture_setup),
        cmocka_unit_test_setup(allocating_only_ever_grows, fixture_setup),
        cmocka_unit_test_setup(reading_and_writing_at_a_place_leaves_the_position, fixture_setup),
        cmocka_unit_test_setup(many_buffers_are_filled_in_order, fixture_setup),
        cmocka_unit_test_setup(a_read_into_its_own_buffer_list_is_harmless, fixture_setup),
        cmocka_unit_test_setup(too_many_or_too_long_buffers_are_refused, fixture_setup),
        cmocka_unit_test_setup(buffers_of_more_than_four_gibibytes_are_refused, fixture_setup),
        cmocka_unit_test_setup(the_limit_of_bytes_is_exact, fixture_setup),
        cmocka_unit_test_setup(an_unlinked_file_lives_while_it_is_open, fixture_setup),
        cmocka_unit_test_setup(large_sparse_and_cut_files_give_their_blocks_back, fixture_setup),
        cmocka_unit_test_setup(files_of_many_tables_are_sparse_too, fixture_setup),
        cmocka_unit_test_setup(opening_without_the_right_to_read_or_write_forbids_it,
                               fixture_setup),
        cmocka_unit_test_setup(times_follow_writes_and_can_be_set, fixture_setup),
        cmocka_unit_test_setup(an_inode_number_is_never_used_again, fixture_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
