/* What descriptors are and may: rights, flags, numbers, preopened directories, limits. */
#include "tests/wasi/preview1.h"

static char buffer[256];
static __wasi_fdstat_t fdstat;

static uint32_t
fdstat_of(int fd)
{
    memset(&fdstat, 0xee, sizeof(fdstat));
    return host_fd_fdstat_get((uint32_t)fd, AT(&fdstat));
}

static bool
has(uint64_t rights, uint64_t wanted)
{
    return (rights & wanted) == wanted;
}

static void
a_file_is_read_or_written_as_it_was_opened(void)
{
    EXPECT(SUCCESS, make_file("f", "text"));
    int reader = open_in("f", 0, READ), writer = open_in("f", 0, WRITE),
        neither = open_in("f", 0, 0);
    EXPECT(SUCCESS, fdstat_of(reader));
    TRUE(has(fdstat.fs_rights_base, READ) && !has(fdstat.fs_rights_base, WRITE));
    EQUAL(__WASI_FILETYPE_REGULAR_FILE, fdstat.fs_filetype);
    EXPECT(SUCCESS, fdstat_of(writer));
    TRUE(!has(fdstat.fs_rights_base, __WASI_RIGHTS_FD_READ) && has(fdstat.fs_rights_base, WRITE));
    EQUAL(-__WASI_ERRNO_BADF, write_text((uint32_t)reader, "x"));
    EQUAL(-__WASI_ERRNO_BADF, read_bytes((uint32_t)writer, buffer, 1));
    EQUAL(-__WASI_ERRNO_BADF, read_bytes((uint32_t)neither, buffer, 1));
    EQUAL(-__WASI_ERRNO_BADF, write_text((uint32_t)neither, "x"));
    EQUAL(1, read_bytes((uint32_t)reader, buffer, 1));
    EQUAL(1, write_text((uint32_t)writer, "x"));
    TRUE(host_fd_filestat_set_size((uint32_t)reader, 0) != 0);
}

static void
files_have_no_rights_for_paths_and_none_to_pass_on(void)
{
    int fd = open_in("f", CREAT, ALL);

    EXPECT(SUCCESS, fdstat_of(fd));
    EQUAL(0, fdstat.fs_rights_base & __WASI_RIGHTS_PATH_FILESTAT_GET);
    EQUAL(0, fdstat.fs_rights_base & __WASI_RIGHTS_FD_READDIR);
    EQUAL(0, fdstat.fs_rights_inheriting);
}

static void
directories_have_what_libraries_look_for(void)
{
    static const uint64_t base =
        __WASI_RIGHTS_PATH_CREATE_DIRECTORY | __WASI_RIGHTS_PATH_CREATE_FILE |
        __WASI_RIGHTS_PATH_LINK_SOURCE | __WASI_RIGHTS_PATH_LINK_TARGET | __WASI_RIGHTS_PATH_OPEN |
        __WASI_RIGHTS_FD_READDIR | __WASI_RIGHTS_PATH_READLINK | __WASI_RIGHTS_PATH_RENAME_SOURCE |
        __WASI_RIGHTS_PATH_RENAME_TARGET | __WASI_RIGHTS_PATH_SYMLINK |
        __WASI_RIGHTS_PATH_REMOVE_DIRECTORY | __WASI_RIGHTS_PATH_UNLINK_FILE |
        __WASI_RIGHTS_PATH_FILESTAT_GET | __WASI_RIGHTS_PATH_FILESTAT_SET_TIMES |
        __WASI_RIGHTS_PATH_FILESTAT_SET_SIZE | __WASI_RIGHTS_FD_FILESTAT_GET |
        __WASI_RIGHTS_FD_FILESTAT_SET_TIMES;
    static const uint64_t files =
        __WASI_RIGHTS_FD_DATASYNC | READ | WRITE | __WASI_RIGHTS_FD_FDSTAT_SET_FLAGS |
        __WASI_RIGHTS_FD_SYNC | __WASI_RIGHTS_FD_ADVISE | __WASI_RIGHTS_FD_ALLOCATE |
        __WASI_RIGHTS_FD_FILESTAT_GET | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE |
        __WASI_RIGHTS_FD_FILESTAT_SET_TIMES | __WASI_RIGHTS_POLL_FD_READWRITE;

    EXPECT(SUCCESS, fdstat_of(3));
    TRUE(has(fdstat.fs_rights_base, base));
    TRUE(has(fdstat.fs_rights_inheriting, base | files));
    EQUAL(0, fdstat.fs_rights_base & __WASI_RIGHTS_FD_SEEK);
    EQUAL(0, fdstat.fs_rights_base & __WASI_RIGHTS_FD_FILESTAT_SET_SIZE);
    EQUAL(0, fdstat.fs_flags);
    EQUAL(__WASI_FILETYPE_DIRECTORY, fdstat.fs_filetype);
    /* Opened with the rights that it says it has. */
    uint64_t rights = fdstat.fs_rights_base;
    TRUE(open_from(3, 0, ".", 0, rights) > 0);
    TRUE(open_from(3, 0, ".", DIRECTORY, 0) > 0);
    TRUE(open_from(3, 0, ".", DIRECTORY, __WASI_RIGHTS_FD_READ) > 0);
    EQUAL(-__WASI_ERRNO_ISDIR, open_from(3, 0, ".", DIRECTORY, READ | WRITE));
}

static void
rights_are_dropped_and_never_come_back(void)
{
    int fd = open_in("f", CREAT, READ | WRITE);

    EXPECT(SUCCESS, fdstat_of(fd));
    uint64_t before = fdstat.fs_rights_base;
    EXPECT(SUCCESS, host_fd_fdstat_set_rights((uint32_t)fd, before & ~(READ | WRITE), 0));
    EQUAL(-__WASI_ERRNO_BADF, read_bytes((uint32_t)fd, buffer, 1));
    EQUAL(-__WASI_ERRNO_BADF, write_text((uint32_t)fd, "x"));
    EXPECT(NOTCAPABLE, host_fd_seek((uint32_t)fd, 1, __WASI_WHENCE_SET, AT(&ret64)));
    EXPECT(NOTCAPABLE, host_fd_tell((uint32_t)fd, AT(&ret64)));
    EXPECT(NOTCAPABLE, host_fd_fdstat_set_rights((uint32_t)fd, before, 0));
    EXPECT(NOTCAPABLE, host_fd_fdstat_set_rights((uint32_t)fd, 0, 1));
    EXPECT(NOTCAPABLE, host_fd_fdstat_set_rights((uint32_t)fd, 1ull << 40, 0));
    EXPECT(SUCCESS, host_fd_fdstat_set_rights((uint32_t)fd, 0, 0));
    EXPECT(SUCCESS, fdstat_of(fd));
    EQUAL(0, fdstat.fs_rights_base);
    EXPECT(NOTCAPABLE, host_fd_filestat_get((uint32_t)fd, AT(&stat)));
    EXPECT(NOTCAPABLE, host_fd_sync((uint32_t)fd));
    EXPECT(BADF, host_fd_fdstat_set_rights(200, 0, 0));
}

/* Each call that takes a path needs a right of the directory. */
static void
directories_without_a_right_refuse_its_call(void)
{
    static const uint64_t keep = __WASI_RIGHTS_FD_READDIR;

    EXPECT(SUCCESS, make_file("f", ""));
    uint32_t d = (uint32_t)open_in(".", DIRECTORY, READ);
    EXPECT(SUCCESS, host_fd_fdstat_set_rights(d, keep, 0));
    EXPECT(NOTCAPABLE, host_path_create_directory(d, TEXT("x")));
    EXPECT(NOTCAPABLE, host_path_filestat_get(d, 0, TEXT("f"), AT(&stat)));
    EXPECT(NOTCAPABLE, host_path_filestat_set_times(d, 0, TEXT("f"), 0, 0, 0));
    EXPECT(NOTCAPABLE, host_path_link(d, 0, TEXT("f"), dir, TEXT("g")));
    EXPECT(NOTCAPABLE, host_path_link(dir, 0, TEXT("f"), d, TEXT("g")));
    EXPECT(NOTCAPABLE, host_path_readlink(d, TEXT("f"), AT(buffer), 10, AT(&ret)));
    EXPECT(NOTCAPABLE, host_path_remove_directory(d, TEXT("f")));
    EXPECT(NOTCAPABLE, host_path_rename(d, TEXT("f"), dir, TEXT("g")));
    EXPECT(NOTCAPABLE, host_path_rename(dir, TEXT("f"), d, TEXT("g")));
    EXPECT(NOTCAPABLE, host_path_symlink(TEXT("f"), d, TEXT("l")));
    EXPECT(NOTCAPABLE, host_path_unlink_file(d, TEXT("f")));
    EQUAL(-__WASI_ERRNO_NOTCAPABLE, open_from(d, 0, "f", 0, READ));
}

static void
what_is_opened_has_no_more_than_its_directory_passes_on(void)
{
    EXPECT(SUCCESS, make_file("f", "text"));
    uint32_t d = (uint32_t)open_in(".", DIRECTORY, READ);
    EXPECT(SUCCESS, fdstat_of((int)d));
    uint64_t base = fdstat.fs_rights_base;
    EXPECT(SUCCESS, host_fd_fdstat_set_rights(d, base, READ));
    int fd = open_from(d, 0, "f", 0, READ);
    EXPECT(SUCCESS, fdstat_of(fd));
    EQUAL(READ, fdstat.fs_rights_base);
    EQUAL(-__WASI_ERRNO_NOTCAPABLE, open_from(d, 0, "f", 0, READ | WRITE));
    EXPECT(SUCCESS, host_fd_fdstat_set_rights(d, base & ~__WASI_RIGHTS_PATH_FILESTAT_SET_SIZE, 0));
    EQUAL(-__WASI_ERRNO_PERM, open_from(d, 0, "f", TRUNC, 0));
    EXPECT(SUCCESS, host_fd_fdstat_set_rights(d, __WASI_RIGHTS_PATH_OPEN, 0));
    EQUAL(-__WASI_ERRNO_NOTCAPABLE, open_from(d, 0, "new", CREAT, 0));
    TRUE(holds("f", "text"));
}

static void
flags_are_kept(void)
{
    uint32_t fd = 0;

    for (uint32_t flags = 0; flags < 32; flags++) {
        EXPECT(SUCCESS, host_path_open(dir, 0, TEXT("f"), CREAT, READ | WRITE, 0, flags, AT(&fd)));
        EXPECT(SUCCESS, fdstat_of((int)fd));
        EQUAL(flags, fdstat.fs_flags);
        EXPECT(SUCCESS, host_fd_close(fd));
    }
    EXPECT(INVAL, host_path_open(dir, 0, TEXT("f"), CREAT, READ | WRITE, 0, 32, AT(&fd)));
    fd = (uint32_t)open_in("f", 0, READ | WRITE);
    EXPECT(SUCCESS, host_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_NONBLOCK));
    EXPECT(SUCCESS, fdstat_of((int)fd));
    EQUAL(__WASI_FDFLAGS_NONBLOCK, fdstat.fs_flags);
    EXPECT(INVAL, host_fd_fdstat_set_flags(fd, 32));
    EXPECT(BADF, host_fd_fdstat_set_flags(200, 0));
    EXPECT(BADF, host_fd_fdstat_get(200, AT(&fdstat)));
    EXPECT(FAULT, host_fd_fdstat_get(fd, MEMORY_END - 23));
}

static void
renumbering_moves_a_descriptor_over_another(void)
{
    EXPECT(SUCCESS, make_file("a", "first"));
    EXPECT(SUCCESS, make_file("b", "second"));
    uint32_t a = (uint32_t)open_in("a", 0, READ), b = (uint32_t)open_in("b", 0, READ);
    EQUAL(2, read_bytes(a, buffer, 2));
    EXPECT(SUCCESS, host_fd_renumber(a, b));
    EXPECT(BADF, host_fd_close(a));
    EQUAL(3, read_bytes(b, buffer, 100));
    TRUE(memcmp(buffer, "rst", 3) == 0);
    EXPECT(SUCCESS, host_fd_renumber(b, b));
    EXPECT(BADF, host_fd_renumber(b, a));
    EXPECT(BADF, host_fd_renumber(a, b));
    EXPECT(BADF, host_fd_renumber(b, UINT32_MAX));
    EQUAL(0, read_bytes(b, buffer, 100));
}

static void
preopened_directories_have_names(void)
{
    __wasi_prestat_t prestat;

    memset(&prestat, 0xee, sizeof(prestat));
    EXPECT(SUCCESS, host_fd_prestat_get(3, AT(&prestat)));
    EQUAL(__WASI_PREOPENTYPE_DIR, prestat.tag);
    EQUAL(1, prestat.u.dir.pr_name_len);
    memset(buffer, 'x', 4);
    EXPECT(SUCCESS, host_fd_prestat_dir_name(3, AT(buffer), 1));
    TRUE(memcmp(buffer, "/x", 2) == 0);
    EXPECT(SUCCESS, host_fd_prestat_dir_name(3, AT(buffer), 100));
    TRUE(memcmp(buffer, "/x", 2) == 0);
    EXPECT(NAMETOOLONG, host_fd_prestat_dir_name(3, AT(buffer), 0));
    EXPECT(BADF, host_fd_prestat_get(dir, AT(&prestat)));
    EXPECT(BADF, host_fd_prestat_dir_name(dir, AT(buffer), 100));
    EXPECT(BADF, host_fd_prestat_get(0, AT(&prestat)));
    EXPECT(BADF, host_fd_prestat_get(UINT32_MAX, AT(&prestat)));
    EXPECT(FAULT, host_fd_prestat_get(3, MEMORY_END - 7));
}

static void
streams_have_no_place_and_files_have(void)
{
    uint32_t iovec[2] = {AT(buffer), 1};

    EXPECT(SPIPE, host_fd_seek(1, 0, __WASI_WHENCE_CUR, AT(&ret64)));
    EXPECT(SPIPE, host_fd_tell(2, AT(&ret64)));
    EXPECT(SPIPE, host_fd_pwrite(1, AT(iovec), 1, 0, AT(&ret)));
    EXPECT(SPIPE, host_fd_pread(1, AT(iovec), 1, 0, AT(&ret)));
    EQUAL(-__WASI_ERRNO_BADF, read_bytes(1, buffer, 1));
    EQUAL(-__WASI_ERRNO_BADF, write_text(0, "x"));
    EXPECT(SUCCESS, stat_of(1));
    EQUAL(0, stat.size);
    EQUAL(0, stat.mtim);
    EXPECT(SUCCESS, stat_of(0));
    EQUAL(0, stat.mtim);
    EXPECT(SUCCESS, host_fd_seek(0, 0, __WASI_WHENCE_END, AT(&ret64)));
    EQUAL(stat.size, ret64);
}

static void
padding_tells_nothing(void)
{
    static const uint8_t zeroes[8];
    uint8_t bytes[64];

    EXPECT(SUCCESS, make_file("f", ""));
    memset(bytes, 0xee, sizeof(bytes));
    EXPECT(SUCCESS, host_path_filestat_get(dir, 0, TEXT("f"), AT(bytes)));
    TRUE(memcmp(bytes + 17, zeroes, 7) == 0);
    memset(bytes, 0xee, sizeof(bytes));
    EXPECT(SUCCESS, host_fd_fdstat_get(1, AT(bytes)));
    TRUE(bytes[1] == 0 && memcmp(bytes + 4, zeroes, 4) == 0);
    memset(bytes, 0xee, sizeof(bytes));
    EXPECT(SUCCESS, host_fd_prestat_get(3, AT(bytes)));
    TRUE(memcmp(bytes + 1, zeroes, 3) == 0);
    EXPECT(SUCCESS, host_fd_readdir(dir, AT(bytes), 24, 0, AT(&ret)));
    TRUE(memcmp(bytes + 21, zeroes, 3) == 0);
}

static void
descriptors_are_256_and_the_lowest_is_taken(void)
{
    int last = 0, count = 0;

    EXPECT(SUCCESS, make_file("f", ""));
    for (int fd; (fd = open_in("f", 0, READ)) >= 0; last = fd)
        count++;
    EQUAL(255, last);
    EQUAL(256 - 5, count);
    EQUAL(-__WASI_ERRNO_MFILE, open_in("f", 0, READ));
    EQUAL(-__WASI_ERRNO_MFILE, open_in("new", CREAT, READ | WRITE));
    EXPECT(NOENT, stat_at("new", 0));
    EXPECT(SUCCESS, host_fd_close(100));
    EQUAL(100, open_in("f", 0, READ));
}

static void
buffers_in_one_call_are_1024(void)
{
    static uint32_t iovecs[1025][2];
    uint32_t fd = (uint32_t)open_in("f", CREAT, READ | WRITE);

    for (int i = 0; i < 1025; i++) {
        iovecs[i][0] = AT(buffer);
        iovecs[i][1] = 1;
    }
    EXPECT(SUCCESS, host_fd_write(fd, AT(iovecs), 1023, AT(&ret)));
    EQUAL(1023, ret);
    EXPECT(SUCCESS, host_fd_write(fd, AT(iovecs), 1024, AT(&ret)));
    EQUAL(1024, ret);
    EXPECT(INVAL, host_fd_write(fd, AT(iovecs), 1025, AT(&ret)));
    EXPECT(INVAL, host_fd_read(fd, AT(iovecs), 1025, AT(&ret)));
    EXPECT(SUCCESS, stat_of(fd));
    EQUAL(2047, stat.size);
}

int
main(void)
{
    static const struct test tests[] = {
        TEST(a_file_is_read_or_written_as_it_was_opened),
        TEST(files_have_no_rights_for_paths_and_none_to_pass_on),
        TEST(directories_have_what_libraries_look_for),
        TEST(rights_are_dropped_and_never_come_back),
        TEST(directories_without_a_right_refuse_its_call),
        TEST(what_is_opened_has_no_more_than_its_directory_passes_on),
        TEST(flags_are_kept),
        TEST(renumbering_moves_a_descriptor_over_another),
        TEST(preopened_directories_have_names),
        TEST(streams_have_no_place_and_files_have),
        TEST(padding_tells_nothing),
        TEST(descriptors_are_256_and_the_lowest_is_taken),
        TEST(buffers_in_one_call_are_1024),
    };

    return RUN(tests);
}
