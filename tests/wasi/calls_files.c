/* The functions that read, write and shape files: fd_read to fd_filestat_set_times. */
#include "tests/wasi/preview1.h"

static char buffer[8192];

static int
fresh(const char *text)
{
    if (make_file("f", text) != 0)
        return -1;
    return open_in("f", 0, READ | WRITE);
}

static uint32_t
seek(int fd, int64_t offset, uint32_t whence)
{
    return host_fd_seek((uint32_t)fd, (uint64_t)offset, whence, AT(&ret64));
}

static void
a_position_moves_with_reads_and_writes(void)
{
    int fd = fresh("0123456789");

    EQUAL(4, read_bytes((uint32_t)fd, buffer, 4));
    EXPECT(SUCCESS, host_fd_tell((uint32_t)fd, AT(&ret64)));
    EQUAL(4, ret64);
    EQUAL(2, write_text((uint32_t)fd, "ab"));
    EXPECT(SUCCESS, host_fd_tell((uint32_t)fd, AT(&ret64)));
    EQUAL(6, ret64);
    EQUAL(4, read_bytes((uint32_t)fd, buffer, 100));
    EQUAL(0, read_bytes((uint32_t)fd, buffer, 100));
    TRUE(holds("f", "0123ab6789"));
}

static void
seeking_has_three_starts_and_no_negative_end(void)
{
    int fd = fresh("0123456789");

    EXPECT(SUCCESS, seek(fd, 3, __WASI_WHENCE_SET));
    EQUAL(3, ret64);
    EXPECT(SUCCESS, seek(fd, -2, __WASI_WHENCE_CUR));
    EQUAL(1, ret64);
    EXPECT(SUCCESS, seek(fd, -10, __WASI_WHENCE_END));
    EQUAL(0, ret64);
    EXPECT(INVAL, seek(fd, -1, __WASI_WHENCE_SET));
    EXPECT(INVAL, seek(fd, -1, __WASI_WHENCE_CUR));
    EXPECT(INVAL, seek(fd, -11, __WASI_WHENCE_END));
    EXPECT(INVAL, seek(fd, 0, 3));
    EXPECT(SUCCESS, seek(fd, INT64_MAX, __WASI_WHENCE_SET));
    TRUE(seek(fd, 1, __WASI_WHENCE_CUR) != 0);
    EQUAL(0, read_bytes((uint32_t)fd, buffer, 1));
}

static void
past_the_end_nothing_is_read_and_a_write_leaves_a_hole(void)
{
    int fd = fresh("ab");

    EXPECT(SUCCESS, seek(fd, 10, __WASI_WHENCE_SET));
    EQUAL(0, read_bytes((uint32_t)fd, buffer, 5));
    EXPECT(SUCCESS, stat_of((uint32_t)fd));
    EQUAL(2, stat.size);
    EQUAL(0, write_text((uint32_t)fd, ""));
    EXPECT(SUCCESS, stat_of((uint32_t)fd));
    EQUAL(2, stat.size);
    EQUAL(1, write_text((uint32_t)fd, "c"));
    EXPECT(SUCCESS, seek(fd, 0, __WASI_WHENCE_SET));
    EQUAL(11, read_bytes((uint32_t)fd, buffer, 50));
    TRUE(memcmp(buffer, "ab\0\0\0\0\0\0\0\0c", 11) == 0);
}

static void
reading_and_writing_at_a_place_moves_nothing(void)
{
    int fd = fresh("0123456789");
    uint32_t in[2] = {AT(buffer), 4}, out[2] = {AT("xy"), 2};

    EXPECT(SUCCESS, host_fd_pread((uint32_t)fd, AT(in), 1, 8, AT(&ret)));
    EQUAL(2, ret);
    TRUE(memcmp(buffer, "89", 2) == 0);
    EXPECT(SUCCESS, host_fd_pwrite((uint32_t)fd, AT(out), 1, 11, AT(&ret)));
    EQUAL(2, ret);
    EXPECT(SUCCESS, host_fd_pread((uint32_t)fd, AT(in), 1, 100, AT(&ret)));
    EQUAL(0, ret);
    EXPECT(SUCCESS, host_fd_tell((uint32_t)fd, AT(&ret64)));
    EQUAL(0, ret64);
    EXPECT(SUCCESS, stat_of((uint32_t)fd));
    EQUAL(13, stat.size);
}

static void
a_place_before_the_beginning_is_invalid(void)
{
    int fd = fresh("0123456789");
    uint32_t iovec[2] = {AT(buffer), 4};

    EXPECT(INVAL, host_fd_pread((uint32_t)fd, AT(iovec), 1, (uint64_t)-1, AT(&ret)));
    EXPECT(INVAL, host_fd_pwrite((uint32_t)fd, AT(iovec), 1, (uint64_t)INT64_MAX + 1, AT(&ret)));
    TRUE(host_fd_pwrite((uint32_t)fd, AT(iovec), 1, INT64_MAX, AT(&ret)) != 0);
    EXPECT(SUCCESS, stat_of((uint32_t)fd));
    EQUAL(10, stat.size);
}

static void
appending_goes_to_the_end_whatever_the_position(void)
{
    int fd = fresh("ab");

    EXPECT(SUCCESS, host_fd_fdstat_set_flags((uint32_t)fd, __WASI_FDFLAGS_APPEND));
    EXPECT(SUCCESS, seek(fd, 0, __WASI_WHENCE_SET));
    EQUAL(1, write_text((uint32_t)fd, "c"));
    EXPECT(SUCCESS, host_fd_tell((uint32_t)fd, AT(&ret64)));
    EQUAL(3, ret64);
    EXPECT(SUCCESS, seek(fd, 0, __WASI_WHENCE_SET));
    EQUAL(3, read_bytes((uint32_t)fd, buffer, 10));
    EXPECT(SUCCESS, host_fd_fdstat_set_flags((uint32_t)fd, 0));
    EXPECT(SUCCESS, seek(fd, 0, __WASI_WHENCE_SET));
    EQUAL(1, write_text((uint32_t)fd, "A"));
    TRUE(holds("f", "Abc"));
}

static void
buffers_are_filled_in_their_order(void)
{
    int fd = fresh("0123456789");
    uint32_t iovecs[8] = {AT(buffer + 50), 2, 0, 0, AT(buffer), 3, AT(buffer + 100), 100};

    EXPECT(SUCCESS, host_fd_read((uint32_t)fd, AT(iovecs), 4, AT(&ret)));
    EQUAL(10, ret);
    TRUE(memcmp(buffer + 50, "01", 2) == 0);
    TRUE(memcmp(buffer, "234", 3) == 0);
    TRUE(memcmp(buffer + 100, "56789", 5) == 0);
    EXPECT(SUCCESS, host_fd_read((uint32_t)fd, AT(iovecs), 0, AT(&ret)));
    EQUAL(0, ret);
}

static void
buffers_may_overlap_each_other_and_their_own_list(void)
{
    int fd = fresh("0123456789");
    static const char twice[] = "ab";
    uint32_t iovecs[6] = {AT(buffer), 4, AT(buffer + 2), 4, AT(iovecs), 2};

    EXPECT(SUCCESS, host_fd_read((uint32_t)fd, AT(iovecs), 3, AT(&ret)));
    EQUAL(10, ret);
    TRUE(memcmp(buffer, "014567", 6) == 0);
    TRUE(memcmp(iovecs, "89", 2) == 0);
    uint32_t same[4] = {AT(twice), 2, AT(twice), 2};
    EXPECT(SUCCESS, host_fd_write((uint32_t)fd, AT(same), 2, AT(&ret)));
    EQUAL(4, ret);
    TRUE(holds("f", "0123456789abab"));
}

static void
a_result_may_lie_in_the_buffer_that_is_filled(void)
{
    int fd = fresh("0123456789");
    uint32_t iovec[2] = {AT(buffer), 10};

    EXPECT(SUCCESS, host_fd_read((uint32_t)fd, AT(iovec), 1, AT(buffer + 2)));
    EQUAL(10, buffer[2]);
    TRUE(memcmp(buffer, "01", 2) == 0);
    TRUE(memcmp(buffer + 6, "6789", 4) == 0);
}

static void
pointers_are_good_up_to_the_end_of_memory(void)
{
    int fd = fresh("0123456789");
    uint32_t *last = (uint32_t *)(uintptr_t)(MEMORY_END - 8);
    uint32_t iovec[2] = {MEMORY_END - 3, 3};

    EXPECT(SUCCESS, host_fd_read((uint32_t)fd, AT(iovec), 1, AT(&ret)));
    EQUAL(3, ret);
    iovec[1] = 4;
    EXPECT(FAULT, host_fd_read((uint32_t)fd, AT(iovec), 1, AT(&ret)));
    last[0] = AT(buffer);
    last[1] = 1;
    EXPECT(SUCCESS, host_fd_read((uint32_t)fd, AT(last), 1, AT(&ret)));
    EXPECT(FAULT, host_fd_read((uint32_t)fd, AT(last) + 1, 1, AT(&ret)));
    iovec[0] = AT(buffer);
    EXPECT(SUCCESS, host_fd_read((uint32_t)fd, AT(iovec), 1, MEMORY_END - 4));
    EXPECT(FAULT, host_fd_read((uint32_t)fd, AT(iovec), 1, MEMORY_END - 3));
    /* What failed has read nothing. */
    EXPECT(SUCCESS, host_fd_tell((uint32_t)fd, AT(&ret64)));
    EQUAL(8, ret64);
    EXPECT(FAULT, host_fd_tell((uint32_t)fd, MEMORY_END - 7));
    EXPECT(FAULT, host_fd_seek((uint32_t)fd, 0, __WASI_WHENCE_SET, MEMORY_END - 7));
    EXPECT(FAULT, host_fd_filestat_get((uint32_t)fd, MEMORY_END - 63));
}

static void
lengths_that_wrap_are_refused(void)
{
    int fd = fresh("0123456789");
    uint32_t iovecs[6] = {AT(buffer), UINT32_MAX, AT(buffer), 2, UINT32_MAX, UINT32_MAX};

    EXPECT(FAULT, host_fd_read((uint32_t)fd, AT(iovecs), 1, AT(&ret)));
    EXPECT(FAULT, host_fd_write((uint32_t)fd, AT(iovecs) + 16, 1, AT(&ret)));
    TRUE(host_fd_read((uint32_t)fd, AT(iovecs), 0x20000001, AT(&ret)) != 0);
    TRUE(host_fd_read((uint32_t)fd, AT(iovecs), UINT32_MAX, AT(&ret)) != 0);
    EXPECT(SUCCESS, host_fd_tell((uint32_t)fd, AT(&ret64)));
    EQUAL(0, ret64);
}

static void
allocating_grows_and_never_shrinks(void)
{
    int fd = fresh("ab");

    EXPECT(SUCCESS, host_fd_allocate((uint32_t)fd, 0, 100));
    EXPECT(SUCCESS, stat_of((uint32_t)fd));
    EQUAL(100, stat.size);
    EXPECT(SUCCESS, host_fd_allocate((uint32_t)fd, 10, 10));
    EXPECT(SUCCESS, host_fd_allocate((uint32_t)fd, 90, 20));
    EXPECT(SUCCESS, stat_of((uint32_t)fd));
    EQUAL(110, stat.size);
    EXPECT(INVAL, host_fd_allocate((uint32_t)fd, 0, 0));
    TRUE(host_fd_allocate((uint32_t)fd, UINT64_MAX, 1) != 0);
    TRUE(host_fd_allocate((uint32_t)fd, INT64_MAX, INT64_MAX) != 0);
    EXPECT(NOSPC, host_fd_allocate((uint32_t)fd, 0, 1ull << 40));
    int reader = open_in("f", 0, READ);
    EXPECT(BADF, host_fd_allocate((uint32_t)reader, 0, 1));
}

static void
a_size_is_set_both_ways(void)
{
    int fd = fresh("0123456789");

    EXPECT(SUCCESS, host_fd_filestat_set_size((uint32_t)fd, 3));
    TRUE(holds("f", "012"));
    EXPECT(SUCCESS, host_fd_filestat_set_size((uint32_t)fd, 6));
    EXPECT(SUCCESS, stat_of((uint32_t)fd));
    EQUAL(6, stat.size);
    EQUAL(6, read_bytes((uint32_t)fd, buffer, 10));
    TRUE(memcmp(buffer, "012\0\0\0", 6) == 0);
    EXPECT(INVAL, host_fd_filestat_set_size((uint32_t)fd, UINT64_MAX));
    EXPECT(NOSPC, host_fd_filestat_set_size((uint32_t)fd, 1ull << 40));
    EXPECT(SUCCESS, host_fd_filestat_set_size((uint32_t)fd, 0));
    EXPECT(BADF, host_fd_filestat_set_size(dir, 0));
}

static void
times_are_set_or_now_or_left(void)
{
    int fd = fresh("");

    EXPECT(SUCCESS, host_fd_filestat_set_times((uint32_t)fd, 1000, 2000, 5));
    EXPECT(SUCCESS, stat_of((uint32_t)fd));
    EQUAL(1000, stat.atim);
    EQUAL(2000, stat.mtim);
    EXPECT(SUCCESS, host_fd_filestat_set_times((uint32_t)fd, 7, 7, __WASI_FSTFLAGS_ATIM));
    EXPECT(SUCCESS, stat_of((uint32_t)fd));
    EQUAL(7, stat.atim);
    EQUAL(2000, stat.mtim);
    EXPECT(SUCCESS, host_fd_filestat_set_times((uint32_t)fd, 7, 7, __WASI_FSTFLAGS_MTIM_NOW));
    EXPECT(SUCCESS, stat_of((uint32_t)fd));
    TRUE(stat.mtim > 1700000000000000000ull);
    EQUAL(7, stat.atim);
    EXPECT(SUCCESS, host_fd_filestat_set_times((uint32_t)fd, 9, 9, 0));
    EXPECT(SUCCESS, stat_of((uint32_t)fd));
    EQUAL(7, stat.atim);
    EXPECT(INVAL, host_fd_filestat_set_times((uint32_t)fd, 1, 1, 3));
    EXPECT(INVAL, host_fd_filestat_set_times((uint32_t)fd, 1, 1, 12));
    EXPECT(INVAL, host_fd_filestat_set_times((uint32_t)fd, 1, 1, 16));
}

static void
writing_changes_the_time_of_change(void)
{
    int fd = fresh("");

    EXPECT(SUCCESS, host_fd_filestat_set_times((uint32_t)fd, 0, 1000, __WASI_FSTFLAGS_MTIM));
    EQUAL(1, write_text((uint32_t)fd, "x"));
    EXPECT(SUCCESS, stat_of((uint32_t)fd));
    TRUE(stat.mtim > 1000);
    EXPECT(SUCCESS, host_fd_filestat_set_times((uint32_t)fd, 0, 1000, __WASI_FSTFLAGS_MTIM));
    EXPECT(SUCCESS, host_fd_filestat_set_size((uint32_t)fd, 0));
    EXPECT(SUCCESS, stat_of((uint32_t)fd));
    TRUE(stat.mtim > 1000);
}

static void
advice_is_taken_and_changes_nothing(void)
{
    int fd = fresh("ab");

    for (uint32_t advice = 0; advice <= 5; advice++)
        EXPECT(SUCCESS, host_fd_advise((uint32_t)fd, 0, 100, advice));
    EXPECT(INVAL, host_fd_advise((uint32_t)fd, 0, 0, 6));
    EXPECT(BADF, host_fd_advise(dir, 0, 0, 0));
    EXPECT(BADF, host_fd_advise(200, 0, 0, 0));
    EXPECT(SUCCESS, stat_of((uint32_t)fd));
    EQUAL(2, stat.size);
}

static void
synchronizing_is_always_done(void)
{
    int fd = fresh("ab");

    EXPECT(SUCCESS, host_fd_sync((uint32_t)fd));
    EXPECT(SUCCESS, host_fd_datasync((uint32_t)fd));
    EXPECT(SUCCESS, host_fd_sync(dir));
    EXPECT(BADF, host_fd_sync(200));
    EXPECT(BADF, host_fd_datasync(200));
}

static void
a_directory_is_no_file(void)
{
    uint32_t iovec[2] = {AT(buffer), 1};

    EXPECT(BADF, host_fd_read(dir, AT(iovec), 1, AT(&ret)));
    EXPECT(BADF, host_fd_pread(dir, AT(iovec), 1, 0, AT(&ret)));
    EXPECT(BADF, host_fd_write(dir, AT(iovec), 1, AT(&ret)));
    EXPECT(BADF, host_fd_pwrite(dir, AT(iovec), 1, 0, AT(&ret)));
    EXPECT(BADF, host_fd_seek(dir, 0, __WASI_WHENCE_CUR, AT(&ret64)));
    EXPECT(BADF, host_fd_tell(dir, AT(&ret64)));
    EXPECT(BADF, host_fd_allocate(dir, 0, 0));
}

static void
what_is_not_open_is_bad_everywhere(void)
{
    static const uint32_t fds[] = {100, 255, 256, 0x7fffffff, 0x80000000, UINT32_MAX};
    uint32_t iovec[2] = {AT(buffer), 1};

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        EXPECT(BADF, host_fd_read(fds[i], AT(iovec), 1, AT(&ret)));
        EXPECT(BADF, host_fd_pread(fds[i], AT(iovec), 1, 0, AT(&ret)));
        EXPECT(BADF, host_fd_write(fds[i], AT(iovec), 1, AT(&ret)));
        EXPECT(BADF, host_fd_pwrite(fds[i], AT(iovec), 1, 0, AT(&ret)));
        EXPECT(BADF, host_fd_seek(fds[i], 0, 0, AT(&ret64)));
        EXPECT(BADF, host_fd_tell(fds[i], AT(&ret64)));
        EXPECT(BADF, host_fd_filestat_get(fds[i], AT(&stat)));
        EXPECT(BADF, host_fd_filestat_set_times(fds[i], 0, 0, 0));
        EXPECT(BADF, host_fd_filestat_set_size(fds[i], 0));
        EXPECT(BADF, host_fd_allocate(fds[i], 0, 1));
        EXPECT(BADF, host_fd_close(fds[i]));
    }
}

int
main(void)
{
    static const struct test tests[] = {
        TEST(a_position_moves_with_reads_and_writes),
        TEST(seeking_has_three_starts_and_no_negative_end),
        TEST(past_the_end_nothing_is_read_and_a_write_leaves_a_hole),
        TEST(reading_and_writing_at_a_place_moves_nothing),
        TEST(a_place_before_the_beginning_is_invalid),
        TEST(appending_goes_to_the_end_whatever_the_position),
        TEST(buffers_are_filled_in_their_order),
        TEST(buffers_may_overlap_each_other_and_their_own_list),
        TEST(a_result_may_lie_in_the_buffer_that_is_filled),
        TEST(pointers_are_good_up_to_the_end_of_memory),
        TEST(lengths_that_wrap_are_refused),
        TEST(allocating_grows_and_never_shrinks),
        TEST(a_size_is_set_both_ways),
        TEST(times_are_set_or_now_or_left),
        TEST(writing_changes_the_time_of_change),
        TEST(advice_is_taken_and_changes_nothing),
        TEST(synchronizing_is_always_done),
        TEST(a_directory_is_no_file),
        TEST(what_is_not_open_is_bad_everywhere),
    };

    return RUN(tests);
}
