/* link: tests/unit/wasi/fixture.c tests/unit/wasi/image.c */
#include <stdio.h>

#include "tests/unit/wasi/fixture.h"

struct listing {
    char names[128][32];
    uint32_t count;
};

static uint32_t
open_directory(const char *path)
{
    int fd = open_at(ROOT, path, WASI_OPEN_DIRECTORY, DIRECTORY, 0);

    assert_true(fd >= 0);
    return (uint32_t)fd;
}

/* Lists with a buffer of that size, as wasi-libc does: a cut entry is asked for again. */
static void
list(uint32_t fd, uint32_t size, struct listing *listing)
{
    uint32_t place = guest_place(size), ret = guest_place(4), used = size;
    uint64_t cookie = 0;

    listing->count = 0;
    while (used == size) {
        assert_int_equal(wasi_fd_readdir(fd, place, size, cookie, ret), WASI_OK);
        used = guest_u32(ret);
        for (uint32_t at = 0; used - at >= sizeof(struct wasi_dirent);) {
            struct wasi_dirent dirent;
            memcpy(&dirent, guest_memory + place + at, sizeof(dirent));
            if (used - at < sizeof(dirent) + dirent.namlen)
                break;
            assert_true(dirent.namlen < 32 && listing->count < 128);
            char *name = listing->names[listing->count++];
            memcpy(name, guest_memory + place + at + sizeof(dirent), dirent.namlen);
            name[dirent.namlen] = '\0';
            cookie = dirent.next;
            at += (uint32_t)sizeof(dirent) + dirent.namlen;
        }
    }
}

static void
assert_listed(const struct listing *listing, uint32_t count, ...)
{
    va_list args;

    assert_int_equal(listing->count, count);
    va_start(args, count);
    for (uint32_t i = 0; i < count; i++)
        assert_string_equal(listing->names[i], va_arg(args, const char *));
    va_end(args);
}

static void
the_root_shows_what_is_its_own_and_the_image(void **state)
{
    struct listing listing;

    (void)state;
    list(ROOT, 4096, &listing);
    assert_listed(&listing, 9, ".", "..", "dev", "work", "tmp", "etc", "hello.txt", "lib",
                  "link-out");
    list(open_directory("lib"), 4096, &listing);
    assert_listed(&listing, 4, ".", "..", "link", "python");
    list(open_directory("dev"), 4096, &listing);
    assert_listed(&listing, 11, ".", "..", "null", "zero", "random", "urandom", "stdin", "stdout",
                  "stderr", "job", "note");
    list(open_directory("work"), 4096, &listing);
    assert_listed(&listing, 3, ".", "..", "outputs");
    list(open_directory("tmp"), 4096, &listing);
    assert_listed(&listing, 2, ".", "..");
}

static void
any_buffer_that_holds_an_entry_will_do(void **state)
{
    struct listing listing;

    (void)state;
    for (uint32_t size = 24 + 9; size < 400; size++) {
        list(ROOT, size, &listing);
        assert_int_equal(listing.count, 9);
        assert_string_equal(listing.names[8], "link-out");
    }
}

static void
a_small_buffer_is_filled_to_the_brim(void **state)
{
    uint32_t place = guest_place(64), ret = guest_place(4);

    (void)state;
    for (uint32_t size = 0; size < 60; size++) {
        memset(guest_memory + place, 0x5a, 64);
        assert_int_equal(wasi_fd_readdir(ROOT, place, size, 0, ret), WASI_OK);
        assert_int_equal(guest_u32(ret), size);
        assert_int_equal(guest_memory[place + size], 0x5a);
    }
}

static void
cookies_stay_right_while_names_come_and_go(void **state)
{
    struct listing listing;
    uint32_t fd = open_directory("tmp"), place = guest_place(64), ret = guest_place(4);
    struct wasi_dirent dirent;
    char path[32];

    (void)state;
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof(path), "tmp/%02d", i);
        make_file(path, "");
    }
    /* One at a time, each removed as soon as it is seen. */
    uint64_t cookie = 2;
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof(path), "tmp/%02d", i);
        assert_int_equal(wasi_fd_readdir(fd, place, 26, cookie, ret), WASI_OK);
        memcpy(&dirent, guest_memory + place, sizeof(dirent));
        assert_memory_equal(guest_memory + place + 24, path + 4, 2);
        assert_int_equal(dirent.type, WASI_FILETYPE_REGULAR_FILE);
        assert_int_equal(unlink_path(path), WASI_OK);
        cookie = dirent.next;
        if (i == 10)
            make_file("tmp/late", "");
    }
    assert_int_equal(wasi_fd_readdir(fd, place, 28, cookie, ret), WASI_OK);
    assert_memory_equal(guest_memory + place + 24, "late", 4);
    list(fd, 4096, &listing);
    assert_listed(&listing, 3, ".", "..", "late");
}

static void
every_cookie_is_answered(void **state)
{
    static const uint64_t cookies[] = {3,         1000,       UINT32_MAX,       1ull << 62,
                                       INT64_MAX, UINT64_MAX, (1ull << 62) + 4, (1ull << 62) + 5};
    uint32_t place = guest_place(1000), ret = guest_place(4);

    (void)state;
    for (size_t i = 0; i < sizeof(cookies) / sizeof(cookies[0]); i++) {
        assert_int_equal(wasi_fd_readdir(ROOT, place, 1000, cookies[i], ret), WASI_OK);
        assert_true(guest_u32(ret) < 1000);
    }
    assert_int_equal(wasi_fd_readdir(ROOT, place, 1000, UINT64_MAX, ret), WASI_OK);
    assert_int_equal(guest_u32(ret), 0);
}

static void
many_names_are_listed_once_each(void **state)
{
    struct listing listing;
    char path[32];
    uint32_t fd = open_directory("tmp");

    (void)state;
    for (uint32_t i = 0; i < NODE_LIMIT; i++) {
        snprintf(path, sizeof(path), "tmp/name-%03u", i);
        make_file(path, "");
    }
    list(fd, 100, &listing);
    assert_int_equal(listing.count, NODE_LIMIT + 2);
    for (uint32_t i = 0; i < NODE_LIMIT; i++) {
        snprintf(path, sizeof(path), "name-%03u", i);
        assert_string_equal(listing.names[i + 2], path);
    }
}

static void
inodes_agree_with_stat(void **state)
{
    uint32_t place = guest_place(1000), ret = guest_place(4);
    struct wasi_filestat stat;
    struct wasi_dirent dirent;

    (void)state;
    make_file("tmp/f", "");
    assert_int_equal(wasi_fd_readdir(open_directory("tmp"), place, 1000, 2, ret), WASI_OK);
    memcpy(&dirent, guest_memory + place, sizeof(dirent));
    assert_int_equal(stat_path("tmp/f", &stat), WASI_OK);
    assert_int_equal(dirent.ino, stat.ino);
    assert_int_equal(wasi_fd_readdir(open_directory("lib/python"), place, 1000, 1, ret), WASI_OK);
    memcpy(&dirent, guest_memory + place, sizeof(dirent));
    assert_int_equal(stat_path("lib", &stat), WASI_OK);
    assert_int_equal(dirent.ino, stat.ino);
    assert_int_equal(wasi_fd_readdir(open_directory("lib"), place, 1000, 1, ret), WASI_OK);
    memcpy(&dirent, guest_memory + place, sizeof(dirent));
    assert_int_equal(stat_path(".", &stat), WASI_OK);
    assert_int_equal(dirent.ino, stat.ino);
}

static void
only_directories_can_be_listed(void **state)
{
    uint32_t place = guest_place(64), ret = guest_place(4);
    int fd = open_at(ROOT, "hello.txt", 0, READ, 0);

    (void)state;
    assert_int_equal(wasi_fd_readdir((uint32_t)fd, place, 64, 0, ret), WASI_ENOTDIR);
    assert_int_equal(wasi_fd_readdir(1, place, 64, 0, ret), WASI_ENOTDIR);
    assert_int_equal(wasi_fd_readdir(77, place, 64, 0, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_readdir(ROOT, MEMORY_BYTES - 10, 64, 0, ret), WASI_EFAULT);
    assert_int_equal(wasi_fd_readdir(ROOT, place, UINT32_MAX, 0, ret), WASI_EFAULT);
    assert_int_equal(wasi_fd_readdir(ROOT, place, 64, 0, MEMORY_BYTES - 2), WASI_EFAULT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_root_shows_what_is_its_own_and_the_image, fixture_setup),
        cmocka_unit_test_setup(any_buffer_that_holds_an_entry_will_do, fixture_setup),
        cmocka_unit_test_setup(a_small_buffer_is_filled_to_the_brim, fixture_setup),
        cmocka_unit_test_setup(cookies_stay_right_while_names_come_and_go, fixture_setup),
        cmocka_unit_test_setup(every_cookie_is_answered, fixture_setup),
        cmocka_unit_test_setup(many_names_are_listed_once_each, fixture_setup),
        cmocka_unit_test_setup(inodes_agree_with_stat, fixture_setup),
        cmocka_unit_test_setup(only_directories_can_be_listed, fixture_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
