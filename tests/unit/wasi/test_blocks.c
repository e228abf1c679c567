/* link: tests/unit/wasi/fixture.c tests/unit/wasi/image.c */
/* ldflags: -Wl,--wrap=mprotect -Wl,--wrap=madvise */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>

#include "tests/unit/wasi/fixture.h"

#include "worker/wasi/blocks.h"
#include "worker/wasi/contents.h"

static int refuse_memory, refuse_advice;

int __real_mprotect(void *start, size_t size, int rights);
int __wrap_mprotect(void *start, size_t size, int rights);
int __real_madvise(void *start, size_t size, int advice);
int __wrap_madvise(void *start, size_t size, int advice);

int
__wrap_mprotect(void *start, size_t size, int rights)
{
    errno = ENOMEM;
    return refuse_memory ? -1 : __real_mprotect(start, size, rights);
}

int
__wrap_madvise(void *start, size_t size, int advice)
{
    errno = EPERM;
    return refuse_advice ? -1 : __real_madvise(start, size, advice);
}

static int
setup(void **state)
{
    refuse_memory = refuse_advice = 0;
    return fixture_setup(state);
}

static void
blocks_are_zeroed_and_used_again(void **state)
{
    (void)state;
    for (int i = 0; i < 5000; i++) {
        uint32_t a = block_new(), b = block_new();
        assert_true(a != 0 && b != 0 && a != b);
        for (size_t at = 0; at < WASI_BLOCK_BYTES; at += 64)
            assert_int_equal(((char *)block_at(a))[at], 0);
        memset(block_at(a), 'a', WASI_BLOCK_BYTES);
        memset(block_at(b), 'b', WASI_BLOCK_BYTES);
        block_free(a);
        block_free(b);
    }
    assert_int_equal(wasi_state.blocks.in_use, 0);
}

static void
blocks_are_zeroed_even_if_the_kernel_does_not_help(void **state)
{
    refuse_advice = 1;
    blocks_are_zeroed_and_used_again(state);
}

static void
the_range_runs_out_without_a_crash(void **state)
{
    uint32_t count = 0;

    (void)state;
    while (block_new() != 0)
        count++;
    assert_int_equal(count, wasi_state.blocks.block_count);
    block_free(7);
    assert_int_equal(block_new(), 7);
    assert_int_equal(block_new(), 0);
}

static void
refused_memory_is_no_space_left(void **state)
{
    char path[] = "work/a";
    uint32_t ret = guest_place(4), half = guest_iovs(1, 8192u, WORK_LIMIT / 2);

    (void)state;
    make_file("work/kept", "kept");
    refuse_memory = 1;
    /* What was granted at the start is used up first. */
    uint32_t fd = (uint32_t)open_file(path, WASI_OPEN_CREAT);
    assert_int_equal(wasi_fd_write(fd, half, 1, ret), WASI_OK);
    assert_int_equal(wasi_fd_write(fd, half, 1, ret), WASI_OK);
    assert_true(guest_u32(ret) < WORK_LIMIT / 2);
    assert_int_equal(wasi_fd_write(fd, half, 1, ret), WASI_ENOSPC);
    assert_int_equal(symlink_path("target", "work/l"), WASI_ENOSPC);
    struct wasi_filestat stat;
    assert_int_equal(stat_path("work/l", &stat), WASI_ENOENT);
    assert_file("work/kept", "kept");
    assert_int_equal(wasi_fd_filestat_set_size(fd, 0), WASI_OK);
    assert_int_equal(symlink_path("target", "work/l"), WASI_OK);
    refuse_memory = 0;
    assert_int_equal(wasi_fd_close(fd), WASI_OK);
    assert_int_equal(unlink_path(path), WASI_OK);
    assert_int_equal(wasi_state.used_bytes, 10);
}

static void
input_that_cannot_be_copied_stays_as_it_was(void **state)
{
    static char input[WORK_LIMIT];

    (void)state;
    make_file("work/a", "");
    make_file("work/filler", "");
    uint32_t ret = guest_place(4), fd = (uint32_t)open_file("work/filler", 0);
    assert_int_equal(wasi_fd_write(fd, guest_iovs(1, 8192u, 500000u), 1, ret), WASI_OK);
    fd = (uint32_t)open_file("work/a", 0);
    memset(input, 'i', sizeof(input));
    contents_borrow(node_own(wasi_state.descriptors[fd].node), input, 520000);
    refuse_memory = 1;
    uint32_t before = wasi_state.blocks.in_use;
    /* Tables take blocks too: the granted ones end before the copy does. */
    while (wasi_state.blocks.granted - before > 120)
        before += block_new() != 0;
    assert_int_equal(write_text(fd, "x"), -WASI_ENOSPC);
    assert_int_equal(wasi_state.blocks.in_use, before);
    refuse_memory = 0;
    assert_int_equal(write_text(fd, "x"), 1);
    char buffer[4];
    assert_int_equal(read_text(fd, buffer, 4), 4);
    assert_memory_equal(buffer, "iiii", 4);
}

/* Writes size bytes; false when there is no space. */
static bool
fill(uint32_t fd, size_t size)
{
    static char data[WASI_BLOCK_BYTES];

    for (size_t done = 0, written; done < size; done += written) {
        struct node *node = node_own(wasi_state.descriptors[fd].node);
        size_t part = size - done < sizeof(data) ? size - done : sizeof(data);
        if (contents_write(node, done, data, part, &written) != WASI_OK)
            return false;
    }
    return true;
}

/* As many files as there may be, each with a table and a last block of one byte. */
static void
the_worst_spread_of_contents_needs_no_more_blocks_than_are_reserved(void **state)
{
    struct err err = ERR_INIT;
    const size_t each = 3 * WASI_BLOCK_BYTES + 1;
    char path[32];

    (void)state;
    fixture_config.work_limit_bytes = NODE_LIMIT * each;
    assert_int_equal(wasi_init(&fixture_config, &err), 0);
    for (uint32_t i = 0; i < NODE_LIMIT; i++) {
        snprintf(path, sizeof(path), "work/%u", i);
        int fd = open_file(path, WASI_OPEN_CREAT);
        assert_true(fd > 0);
        assert_true(fill((uint32_t)fd, each));
        assert_int_equal(wasi_fd_close((uint32_t)fd), WASI_OK);
    }
    assert_int_equal(wasi_state.used_bytes, fixture_config.work_limit_bytes);
    assert_int_equal(wasi_state.blocks.in_use, 5 * NODE_LIMIT);
    assert_true(wasi_state.blocks.in_use <=
                blocks_needed(fixture_config.work_limit_bytes, NODE_LIMIT));
    assert_int_equal(open_file("work/more", WASI_OPEN_CREAT), -WASI_ENOSPC);
}

static void
a_file_that_was_long_is_as_cheap_as_one_that_never_was(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    fixture_config.work_limit_bytes = 16u << 20;
    assert_int_equal(wasi_init(&fixture_config, &err), 0);
    uint32_t fd = (uint32_t)open_file("work/a", WASI_OPEN_CREAT);
    assert_true(fill(fd, 9u << 20));
    assert_int_equal(wasi_state.blocks.in_use, (9u << 20) / WASI_BLOCK_BYTES + 3 + 1);
    assert_int_equal(wasi_fd_filestat_set_size(fd, WASI_BLOCK_BYTES + 1), WASI_OK);
    assert_int_equal(wasi_state.blocks.in_use, 2 + 1);
    assert_int_equal(wasi_fd_filestat_set_size(fd, 1), WASI_OK);
    assert_int_equal(wasi_state.blocks.in_use, 1);
    assert_int_equal(wasi_fd_filestat_set_size(fd, 9u << 20), WASI_OK);
    assert_true(fill(fd, 9u << 20));
    assert_int_equal(wasi_fd_filestat_set_size(fd, 0), WASI_OK);
    assert_int_equal(wasi_state.blocks.in_use, 0);
}

static void
a_hole_at_the_start_survives_cutting_the_rest(void **state)
{
    struct err err = ERR_INIT;
    size_t written;

    (void)state;
    fixture_config.work_limit_bytes = 16u << 20;
    assert_int_equal(wasi_init(&fixture_config, &err), 0);
    uint32_t fd = (uint32_t)open_file("work/a", WASI_OPEN_CREAT);
    struct node *node = node_own(wasi_state.descriptors[fd].node);
    assert_int_equal(contents_write(node, 9u << 20, "x", 1, &written), WASI_OK);
    assert_int_equal(wasi_fd_filestat_set_size(fd, 1), WASI_OK);
    assert_int_equal(wasi_state.blocks.in_use, 0);
    assert_int_equal(contents_write(node, 0, "y", 1, &written), WASI_OK);
    assert_file("work/a", "y");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(blocks_are_zeroed_and_used_again, setup),
        cmocka_unit_test_setup(blocks_are_zeroed_even_if_the_kernel_does_not_help, setup),
        cmocka_unit_test_setup(the_range_runs_out_without_a_crash, setup),
        cmocka_unit_test_setup(refused_memory_is_no_space_left, setup),
        cmocka_unit_test_setup(input_that_cannot_be_copied_stays_as_it_was, setup),
        cmocka_unit_test_setup(the_worst_spread_of_contents_needs_no_more_blocks_than_are_reserved,
                               setup),
        cmocka_unit_test_setup(a_file_that_was_long_is_as_cheap_as_one_that_never_was, setup),
        cmocka_unit_test_setup(a_hole_at_the_start_survives_cutting_the_rest, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
