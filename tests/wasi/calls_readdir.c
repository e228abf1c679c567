/* fd_readdir, with buffers of any size, cookies of any kind, and names that come and go. */
#include <stdlib.h>

#include "tests/wasi/preview1.h"

#define ENTRY_BYTES 24u /* before the name */

static uint8_t buffer[4096];

struct listing {
    char names[64][32];
    uint64_t inodes[64], cookies[64]; /* after each */
    uint8_t types[64];
    int count, calls;
};
static struct listing list;

/* Reads on from the cookie until a buffer of that size is not filled; -errno. */
static int
read_from(uint32_t fd, uint64_t cookie, uint32_t size)
{
    list.count = list.calls = 0;
    for (;;) {
        uint32_t used = 0, at = 0, error = host_fd_readdir(fd, AT(buffer), size, cookie, AT(&used));
        if (error != 0 || used > size || ++list.calls > 1000)
            return -(int)error - (error == 0);
        while (used - at >= ENTRY_BYTES && list.count < 64) {
            __wasi_dirent_t entry;
            memcpy(&entry, buffer + at, sizeof(entry));
            if (used - at - ENTRY_BYTES < entry.d_namlen)
                break;
            int length = entry.d_namlen < 31 ? (int)entry.d_namlen : 31;
            snprintf(list.names[list.count], 32, "%.*s", length,
                     (const char *)buffer + at + ENTRY_BYTES);
            list.inodes[list.count] = entry.d_ino;
            list.types[list.count] = entry.d_type;
            list.cookies[list.count++] = cookie = entry.d_next;
            at += ENTRY_BYTES + entry.d_namlen;
        }
        if (used < size)
            return list.count;
        if (at == 0)
            return -1000;
    }
}

static int
find(const char *name)
{
    int found = -1;

    for (int i = 0; i < list.count; i++)
        if (strcmp(list.names[i], name) == 0)
            found = found == -1 ? i : -2;
    return found;
}

static void
make_many(int count)
{
    char name[32];

    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "name-%02d", i);
        EXPECT(SUCCESS, make_file(name, ""));
    }
}

static void
an_empty_directory_has_itself_and_its_parent(void)
{
    EQUAL(2, read_from(dir, 0, 256));
    EQUAL(0, find("."));
    EQUAL(1, find(".."));
    EQUAL(__WASI_FILETYPE_DIRECTORY, list.types[0]);
    EQUAL(__WASI_FILETYPE_DIRECTORY, list.types[1]);
    EXPECT(SUCCESS, stat_of(dir));
    EQUAL(stat.ino, list.inodes[0]);
}

static void
entries_tell_what_stat_tells(void)
{
    static const char *const names[] = {"d", "f", "l"};

    EXPECT(SUCCESS, make_dir("d"));
    EXPECT(SUCCESS, make_file("f", "x"));
    EXPECT(SUCCESS, symlink_to("f", "l"));
    EQUAL(5, read_from(dir, 0, 4096));
    for (int i = 0; i < 3; i++) {
        int at = find(names[i]);
        TRUE(at >= 0);
        EXPECT(SUCCESS, stat_at(names[i], 0));
        EQUAL(stat.ino, list.inodes[at]);
        EQUAL(stat.filetype, list.types[at]);
    }
}

static void
inodes_stay_while_the_files_do(void)
{
    EXPECT(SUCCESS, make_file("f", "x"));
    EXPECT(SUCCESS, stat_at("f", 0));
    uint64_t inode = stat.ino;
    EXPECT(SUCCESS, rename_to("f", "g"));
    EXPECT(SUCCESS, make_file("f", "y"));
    EXPECT(SUCCESS, stat_at("g", 0));
    EQUAL(inode, stat.ino);
    EQUAL(4, read_from(dir, 0, 4096));
    EQUAL(inode, list.inodes[find("g")]);
    TRUE(list.inodes[find("f")] != inode);
}

static void
a_buffer_of_any_size_gets_them_all(void)
{
    static const uint32_t sizes[] = {31, 32, 33, 40, 62, 63, 64, 100, 255, 256, 257, 1000, 4096};

    make_many(40);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        EQUAL(42, read_from(dir, 0, sizes[i]));
        for (int n = 0; n < 40; n++) {
            char name[32];
            snprintf(name, sizeof(name), "name-%02d", n);
            TRUE(find(name) >= 0);
        }
    }
}

static void
what_does_not_fit_is_cut_and_fills_the_buffer(void)
{
    EXPECT(SUCCESS, make_file("a-long-name", ""));
    for (uint32_t size = 0; size <= 49; size++) {
        memset(buffer, 0xee, sizeof(buffer));
        EXPECT(SUCCESS, host_fd_readdir(dir, AT(buffer), size, 0, AT(&ret)));
        EQUAL(size, ret);
        EQUAL(0xee, buffer[size]);
    }
}

static void
every_cookie_leads_to_what_comes_after_it(void)
{
    struct listing *whole = malloc(sizeof(list));

    make_many(20);
    EQUAL(22, read_from(dir, 0, 4096));
    *whole = list;
    for (int i = 21; i >= 0; i--) {
        EQUAL(21 - i, read_from(dir, whole->cookies[i], 4096));
        for (int n = 0; n < list.count; n++)
            TRUE(strcmp(list.names[n], whole->names[i + 1 + n]) == 0);
    }
    free(whole);
}

static void
removing_what_was_read_skips_nothing(void)
{
    char name[32];
    int seen = 0;
    uint64_t cookie = 0;

    make_many(40);
    /* As a recursive removal does: some names, remove them, read on. */
    for (int rounds = 0; rounds < 100; rounds++) {
        EXPECT(SUCCESS, host_fd_readdir(dir, AT(buffer), 100, cookie, AT(&ret)));
        uint32_t at = 0;
        while (ret - at >= ENTRY_BYTES) {
            __wasi_dirent_t entry;
            memcpy(&entry, buffer + at, sizeof(entry));
            if (ret - at - ENTRY_BYTES < entry.d_namlen)
                break;
            snprintf(name, sizeof(name), "%.*s", (int)entry.d_namlen,
                     (const char *)buffer + at + ENTRY_BYTES);
            cookie = entry.d_next;
            at += ENTRY_BYTES + entry.d_namlen;
            if (name[0] != '.') {
                EXPECT(SUCCESS, unlink_file(name));
                seen++;
            }
        }
        if (ret < 100)
            break;
    }
    EQUAL(40, seen);
    EQUAL(2, read_from(dir, 0, 4096));
}

static void
names_that_come_and_go_meanwhile_spoil_nothing(void)
{
    make_many(10);
    EQUAL(12, read_from(dir, 0, 4096));
    uint64_t after_five = list.cookies[6];
    EXPECT(SUCCESS, unlink_file("name-07"));
    EXPECT(SUCCESS, unlink_file("name-00"));
    EXPECT(SUCCESS, make_file("new", ""));
    EXPECT(SUCCESS, rename_to("name-08", "moved"));
    read_from(dir, after_five, 4096);
    EQUAL(-1, find("name-07"));
    EQUAL(-1, find("name-08"));
    TRUE(find("name-09") >= 0);
    TRUE(find("new") >= 0);
    TRUE(find("moved") >= 0);
    TRUE(find("name-01") < 0);
}

static void
cookies_that_nobody_gave_do_no_harm(void)
{
    static const uint64_t cookies[] = {
        3, 100, 1ull << 31, 1ull << 62, (1ull << 62) + 5, INT64_MAX, UINT64_MAX - 1, UINT64_MAX};

    make_many(3);
    for (size_t i = 0; i < sizeof(cookies) / sizeof(cookies[0]); i++)
        EXPECT(SUCCESS, host_fd_readdir(dir, AT(buffer), 100, cookies[i], AT(&ret)));
    EXPECT(SUCCESS, host_fd_readdir(dir, AT(buffer), 4096, UINT64_MAX, AT(&ret)));
    EQUAL(0, ret);
}

static void
two_descriptors_read_without_each_other(void)
{
    make_many(6);
    uint32_t other = (uint32_t)open_in(".", DIRECTORY, READ);
    EQUAL(8, read_from(dir, 0, 4096));
    EQUAL(8, read_from(other, 0, 60));
    EQUAL(8, read_from(dir, 0, 60));
}

static void
only_directories_are_read_and_with_the_right_to(void)
{
    EXPECT(SUCCESS, make_file("f", ""));
    uint32_t file = (uint32_t)open_in("f", 0, READ);
    EXPECT(NOTDIR, host_fd_readdir(file, AT(buffer), 100, 0, AT(&ret)));
    EXPECT(NOTDIR, host_fd_readdir(1, AT(buffer), 100, 0, AT(&ret)));
    EXPECT(BADF, host_fd_readdir(200, AT(buffer), 100, 0, AT(&ret)));
    EXPECT(FAULT, host_fd_readdir(dir, MEMORY_END - 99, 100, 0, AT(&ret)));
    EXPECT(SUCCESS, host_fd_readdir(dir, MEMORY_END - 100, 100, 0, AT(&ret)));
    EXPECT(FAULT, host_fd_readdir(dir, AT(buffer), 100, 0, MEMORY_END - 3));
    EXPECT(SUCCESS, host_fd_readdir(dir, MEMORY_END, 0, 0, AT(&ret)));
    EXPECT(SUCCESS, host_fd_fdstat_set_rights(dir, __WASI_RIGHTS_PATH_OPEN, 0));
    EXPECT(NOTCAPABLE, host_fd_readdir(dir, AT(buffer), 100, 0, AT(&ret)));
}

int
main(void)
{
    static const struct test tests[] = {
        TEST(an_empty_directory_has_itself_and_its_parent),
        TEST(entries_tell_what_stat_tells),
        TEST(inodes_stay_while_the_files_do),
        TEST(a_buffer_of_any_size_gets_them_all),
        TEST(what_does_not_fit_is_cut_and_fills_the_buffer),
        TEST(every_cookie_leads_to_what_comes_after_it),
        TEST(removing_what_was_read_skips_nothing),
        TEST(names_that_come_and_go_meanwhile_spoil_nothing),
        TEST(cookies_that_nobody_gave_do_no_harm),
        TEST(two_descriptors_read_without_each_other),
        TEST(only_directories_are_read_and_with_the_right_to),
    };

    return RUN(tests);
}
