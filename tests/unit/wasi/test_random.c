/* link: tests/unit/wasi/fixture.c tests/unit/wasi/image.c tests/unit/wasi/invariants.c */
/* ldflags: -Wl,--wrap=wasi_clock_sleep_until */
/*
 * Every function with arguments that are nearly sensible, over memory that is nearly sensible, in
 * a fixed sequence of random numbers. It is for the sanitizers to object; what is checked here is
 * that the host's books still balance afterwards.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/wasi/fixture.h"
#include "tests/unit/wasi/invariants.h"

#include "worker/wasi/descriptor.h"
#include "worker/wasi/directory.h"
#include "worker/wasi/outputs.h"

#define CALLS 300000
#define SPACE 65536u /* of memory that arguments point into, from 4096 on */

void __wrap_wasi_clock_sleep_until(uint64_t monotonic_ns);

void
__wrap_wasi_clock_sleep_until(uint64_t monotonic_ns)
{
    (void)monotonic_ns;
}

static void
drop_output(void *context, int stream, const void *data, size_t size)
{
    (void)context, (void)stream, (void)data, (void)size;
}

static uint64_t seed;

static uint32_t
roll(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 20) % below;
}

static uint32_t
number(void)
{
    static const uint32_t special[] = {0,    1,    24,    255,       256,
                                       4096, 4097, 65536, INT32_MAX, UINT32_MAX};

    return roll(4) ? roll(16) : special[roll(sizeof(special) / sizeof(special[0]))];
}

static uint64_t
wide(void)
{
    switch (roll(5)) {
    case 0:
        return (uint64_t)number() << 32 | number();
    case 1:
        return UINT64_MAX - roll(10);
    default:
        return roll(2) ? number() : roll(100000);
    }
}

static uint32_t
address(void)
{
    return roll(8) ? 4096 + roll(SPACE) : MEMORY_BYTES - 64 + roll(128);
}

static uint64_t
rights(void)
{
    return roll(3) ? EVERYTHING & (roll(2) ? ~WRITE : ~0ull) : wide();
}

/* Where a path stands; its length is what follows. */
static uint32_t path_bytes;

static uint32_t
path(void)
{
    static const char *const starts[] = {"work", "work/outputs", "tmp", "lib",      "dev",
                                         ".",    "..",           "/",   "hello.txt"};
    static const char *const parts[] = {"a", "b", "c", "d", ".", "..", "", "job", "null", "link"};
    uint32_t place = 4096 + roll(SPACE - 256);
    char text[256] = "";

    snprintf(text, sizeof(text), "%s", starts[roll(roll(3) ? 3 : 9)]);
    for (uint32_t i = roll(4); i > 0; i--) {
        strcat(text, "/");
        strcat(text, parts[roll(roll(4) ? 4 : 10)]);
    }
    path_bytes = (uint32_t)strlen(text);
    memcpy(guest_memory + place, text, path_bytes);
    if (roll(50) == 0)
        path_bytes = number();
    return place;
}

static uint32_t
iovs(void)
{
    uint32_t place = 4096 + roll(SPACE - 256);

    for (uint32_t i = 0; i < 16; i++) {
        uint32_t iovec[2] = {address(), roll(20) ? roll(20000) : number()};
        memcpy(guest_memory + place + i * 8, iovec, sizeof(iovec));
    }
    return place;
}

static uint32_t
subscriptions(void)
{
    uint32_t place = 4096 + roll(SPACE - 1024);

    for (uint32_t i = 0; i < 8; i++) {
        struct wasi_subscription subscription = {
            .tag = (uint8_t)roll(4), .id = number(), .timeout = wide(), .flags = (uint16_t)roll(3)};
        memcpy(guest_memory + place + i * sizeof(subscription), &subscription,
               sizeof(subscription));
    }
    return place;
}

static void
call_state(uint32_t fd)
{
    switch (roll(9)) {
    case 0:
        wasi_fd_advise(fd, wide(), wide(), number());
        break;
    case 1:
        wasi_fd_allocate(fd, wide(), wide());
        break;
    case 2:
        wasi_fd_datasync(fd);
        wasi_fd_sync(fd);
        break;
    case 3:
        wasi_fd_fdstat_get(fd, address());
        wasi_fd_filestat_get(fd, address());
        break;
    case 4:
        wasi_fd_fdstat_set_flags(fd, number());
        break;
    case 5:
        wasi_fd_fdstat_set_rights(roll(100) ? 200 : fd, rights(), rights());
        break;
    case 6:
        wasi_fd_filestat_set_size(fd, wide());
        break;
    case 7:
        wasi_fd_filestat_set_times(fd, wide(), wide(), number());
        break;
    default:
        wasi_fd_prestat_get(fd, address());
        wasi_fd_prestat_dir_name(fd, address(), number());
        break;
    }
}

static void
call_descriptors(uint32_t fd)
{
    switch (roll(12)) {
    case 0:
        wasi_fd_close(roll(20) ? 4 + number() : fd);
        break;
    case 1:
        wasi_fd_pread(fd, iovs(), number(), wide(), address());
        break;
    case 2:
        wasi_fd_pwrite(fd, iovs(), number(), wide(), address());
        break;
    case 3:
        wasi_fd_read(fd, iovs(), number(), address());
        break;
    case 4:
        wasi_fd_readdir(fd, address(), roll(2) ? roll(500) : number(), wide(), address());
        break;
    case 5:
        wasi_fd_renumber(4 + number(), 4 + number());
        break;
    case 6:
        wasi_fd_seek(fd, wide(), number(), address());
        wasi_fd_tell(fd, address());
        break;
    case 7:
    case 8:
        wasi_fd_write(fd, iovs(), number(), address());
        break;
    default:
        call_state(fd);
        break;
    }
}

static void
call_paths(uint32_t fd)
{
    uint32_t first = path(), first_bytes = path_bytes, second = path();

    switch (roll(16)) {
    case 0:
        wasi_path_create_directory(fd, first, first_bytes);
        break;
    case 1:
        wasi_path_filestat_get(fd, roll(3), first, first_bytes, address());
        break;
    case 2:
        wasi_path_filestat_set_times(fd, roll(3), first, first_bytes, wide(), wide(), number());
        break;
    case 3:
        wasi_path_link(fd, roll(3), first, first_bytes, ROOT, second, path_bytes);
        break;
    case 4:
        wasi_path_readlink(fd, first, first_bytes, address(), number(), address());
        break;
    case 5:
        wasi_path_remove_directory(fd, first, first_bytes);
        break;
    case 6:
    case 7:
        wasi_path_rename(fd, first, first_bytes, ROOT, second, path_bytes);
        break;
    case 8:
        wasi_path_symlink(first, first_bytes, fd, second, path_bytes);
        break;
    case 9:
    case 10:
        wasi_path_unlink_file(fd, first, first_bytes);
        break;
    default:
        wasi_path_open(fd, roll(3), first, first_bytes, roll(17), rights(), rights(), roll(4),
                       address());
        break;
    }
}

static void
call_others(void)
{
    switch (roll(8)) {
    case 0:
        wasi_args_sizes_get(address(), address());
        wasi_args_get(address(), address());
        break;
    case 1:
        wasi_environ_sizes_get(address(), address());
        wasi_environ_get(address(), address());
        break;
    case 2:
        wasi_clock_res_get(number(), address());
        wasi_clock_time_get(number(), wide(), address());
        break;
    case 3:
    case 4:
        wasi_poll_oneoff(subscriptions(), address(), number(), address());
        break;
    case 5:
        wasi_random_get(address(), number() % 100000);
        break;
    case 6:
        wasi_sock_accept(number(), number(), address());
        wasi_sock_shutdown(number(), number());
        break;
    default:
        wasi_sock_recv(number(), iovs(), number(), number(), address(), address());
        wasi_sock_send(number(), iovs(), number(), number(), address());
        break;
    }
}

/* Closes what is open, and removes all that was made. */
static void
empty_directory(uint32_t directory)
{
    uint32_t entry;

    while ((entry = node_own(directory)->as.directory.first) != 0) {
        uint32_t node = wasi_state.entries[entry].node;
        if (node_kind(node) == NODE_DIRECTORY)
            empty_directory(node);
        directory_remove(entry);
    }
}

static uint32_t
list_length(uint32_t (*next)(uint32_t), uint32_t first)
{
    uint32_t length = 0;

    for (uint32_t i = first; i != 0; i = next(i))
        length++;
    return length;
}

static uint32_t
next_free_node(uint32_t index)
{
    return wasi_state.nodes[index].as.next_free;
}

static uint32_t
next_free_entry(uint32_t index)
{
    return wasi_state.entries[index].chain;
}

/* A guest that has lost its root has nothing left to do. */
static void
open_root(void)
{
    wasi_fd_close(ROOT);
    descriptor_open(ROOT, NODE_ROOT, descriptor_all_rights(), descriptor_all_rights());
}

/* What the guest has made of /work/outputs can be walked to its end. */
static void
check_outputs(void)
{
    struct output_walk walk;
    struct output output;
    uint32_t count = 0;

    if (!outputs_begin(&walk))
        return;
    while (outputs_next(&walk, &output))
        assert_true(++count <= wasi_state.entry_count && output.path_bytes <= FILE_NAME_BYTES);
}

static void
check_invariants(int calls)
{
    check_outputs();
    const char *broken = invariants_broken();

    if (broken != NULL)
        fail_msg("after %d calls it is not so that %s", calls, broken);
}

static void
no_sequence_of_calls_does_harm(void **state)
{
    (void)state;
    seed = 0x9e3779b97f4a7c15ull;
    wasi_state.config.sink.write = drop_output;
    /* /work/outputs will be gone. */
    uint32_t nodes = wasi_state.node_count - 1, entries = wasi_state.entry_count - 1;
    for (int i = 0; i < CALLS; i++) {
        uint32_t fd = roll(3) ? 3 + roll(8) : number();
        if (roll(10) == 0)
            call_others();
        else if (roll(2))
            call_descriptors(fd);
        else
            call_paths(roll(3) ? ROOT : fd);
        assert_true(wasi_state.used_bytes <= WORK_LIMIT);
        if (i % 64 == 0)
            check_invariants(i);
        if (wasi_state.descriptors[ROOT].node != NODE_ROOT)
            open_root();
    }
    for (uint32_t fd = 0; fd < WASI_DESCRIPTORS; fd++)
        if (fd != ROOT)
            wasi_fd_close(fd);
    empty_directory(directory_find(NODE_ROOT, "work", 4));
    empty_directory(directory_find(NODE_ROOT, "tmp", 3));
    assert_int_equal(wasi_state.used_bytes, 0);
    assert_int_equal(wasi_state.blocks.in_use, 0);
    assert_int_equal(wasi_state.node_count - list_length(next_free_node, wasi_state.node_free),
                     nodes);
    assert_int_equal(wasi_state.entry_count - list_length(next_free_entry, wasi_state.entry_free),
                     entries);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(no_sequence_of_calls_does_harm, fixture_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
