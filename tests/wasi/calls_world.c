/* What is not a file: arguments, clocks, waiting, randomness, sockets, the end. */
#include "tests/wasi/preview1.h"

#define MS 1000000ull

static char buffer[70000];
static __wasi_subscription_t subscriptions[8];
static __wasi_event_t events[8];

static uint64_t
now(uint32_t clock)
{
    return host_clock_time_get(clock, 0, AT(&ret64)) == 0 ? ret64 : 0;
}

static void
subscribe_clock(int i, uint32_t clock, uint64_t timeout, uint32_t flags)
{
    memset(&subscriptions[i], 0, sizeof(subscriptions[i]));
    subscriptions[i].userdata = 0x100000000ull + (unsigned)i;
    subscriptions[i].u.tag = __WASI_EVENTTYPE_CLOCK;
    subscriptions[i].u.u.clock.id = clock;
    subscriptions[i].u.u.clock.timeout = timeout;
    subscriptions[i].u.u.clock.flags = (uint16_t)flags;
}

static void
subscribe_fd(int i, uint32_t fd, int tag)
{
    memset(&subscriptions[i], 0, sizeof(subscriptions[i]));
    subscriptions[i].userdata = 0x100000000ull + (unsigned)i;
    subscriptions[i].u.tag = (uint8_t)tag;
    subscriptions[i].u.u.fd_read.file_descriptor = fd;
}

/* How many events; -errno. */
static int
wait_for(uint32_t count)
{
    memset(events, 0xee, sizeof(events));
    uint32_t error = host_poll_oneoff(AT(subscriptions), AT(events), count, AT(&ret));
    return error != 0 ? -(int)error : (int)ret;
}

static void
arguments_are_as_they_were_given(void)
{
    uint32_t array[8];

    EXPECT(SUCCESS, host_args_sizes_get(AT(&ret), AT(&ret2)));
    EQUAL(3, ret);
    EXPECT(SUCCESS, host_args_get(AT(array), AT(buffer)));
    TRUE(strcmp((char *)(uintptr_t)array[1], "one") == 0);
    TRUE(strcmp((char *)(uintptr_t)array[2], "two three") == 0);
    EQUAL(strlen((char *)(uintptr_t)array[0]) + 1 + 4 + 10, ret2);
    EQUAL(AT(buffer), array[0]);
    EXPECT(FAULT, host_args_get(AT(array), MEMORY_END - ret2 + 1));
    EXPECT(SUCCESS, host_args_get(AT(array), MEMORY_END - ret2));
    EXPECT(FAULT, host_args_get(MEMORY_END - 11, AT(buffer)));
    EXPECT(FAULT, host_args_sizes_get(AT(&ret), MEMORY_END - 3));
    EXPECT(FAULT, host_args_sizes_get(MEMORY_END - 3, AT(&ret)));
}

static void
there_are_no_variables_but_those_that_were_given(void)
{
    EXPECT(SUCCESS, host_environ_sizes_get(AT(&ret), AT(&ret2)));
    EQUAL(0, ret);
    EQUAL(0, ret2);
    EXPECT(SUCCESS, host_environ_get(AT(buffer), AT(buffer)));
}

static void
clocks_go_forward(void)
{
    for (uint32_t clock = 0; clock < 4; clock++) {
        EXPECT(SUCCESS, host_clock_res_get(clock, AT(&ret64)));
        TRUE(ret64 > 0 && ret64 <= 1000 * MS);
        uint64_t first = now(clock);
        TRUE(now(clock) >= first);
    }
    TRUE(now(__WASI_CLOCKID_REALTIME) > 1700000000000 * MS);
    EXPECT(SUCCESS, host_clock_time_get(0, UINT64_MAX, AT(&ret64)));
    EXPECT(INVAL, host_clock_res_get(4, AT(&ret64)));
    EXPECT(INVAL, host_clock_time_get(4, 0, AT(&ret64)));
    EXPECT(INVAL, host_clock_time_get(UINT32_MAX, 0, AT(&ret64)));
    EXPECT(FAULT, host_clock_time_get(0, 0, MEMORY_END - 7));
    EXPECT(FAULT, host_clock_res_get(0, MEMORY_END - 7));
}

static void
waiting_lasts_as_long_as_it_was_told(void)
{
    for (uint32_t clock = 0; clock < 2; clock++) {
        uint64_t start = now(__WASI_CLOCKID_MONOTONIC);
        subscribe_clock(0, clock, 20 * MS, 0);
        EQUAL(1, wait_for(1));
        uint64_t waited = now(__WASI_CLOCKID_MONOTONIC) - start;
        TRUE(waited >= 20 * MS && waited < 2000 * MS);
        EQUAL(0, events[0].error);
        EQUAL(__WASI_EVENTTYPE_CLOCK, events[0].type);
        EQUAL(0x100000000, events[0].userdata);
    }
}

static void
a_point_in_time_is_waited_for(void)
{
    for (uint32_t clock = 0; clock < 2; clock++) {
        uint64_t until = now(clock) + 20 * MS;
        subscribe_clock(0, clock, until, __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
        EQUAL(1, wait_for(1));
        TRUE(now(clock) + MS >= until && now(clock) < until + 2000 * MS);
    }
}

static void
what_is_past_is_due_at_once(void)
{
    uint64_t start = now(__WASI_CLOCKID_MONOTONIC);

    subscribe_clock(0, 1, 0, 0);
    subscribe_clock(1, 1, 1, 1);
    subscribe_clock(2, 0, start, 1);
    subscribe_clock(3, 1, 60000 * MS, 0);
    EQUAL(3, wait_for(4));
    for (uint32_t i = 0; i < 3; i++)
        EQUAL(0x100000000 + i, events[i].userdata);
    TRUE(now(__WASI_CLOCKID_MONOTONIC) - start < 2000 * MS);
}

static void
the_first_of_several_clocks_ends_the_wait(void)
{
    uint64_t start = now(__WASI_CLOCKID_MONOTONIC);

    subscribe_clock(0, 1, 60000 * MS, 0);
    subscribe_clock(1, 0, 10 * MS, 0);
    subscribe_clock(2, 1, UINT64_MAX, 0);
    subscribe_clock(3, 1, UINT64_MAX, 1);
    subscriptions[1].u.u.clock.precision = UINT64_MAX;
    EQUAL(1, wait_for(4));
    EQUAL(0x100000001, events[0].userdata);
    TRUE(now(__WASI_CLOCKID_MONOTONIC) - start < 2000 * MS);
}

static void
clocks_of_the_processor_and_of_nobody_are_not_waited_for(void)
{
    subscribe_clock(0, 2, MS, 0);
    subscribe_clock(1, 3, MS, 0);
    subscribe_clock(2, 4, MS, 0);
    EQUAL(3, wait_for(3));
    EQUAL(__WASI_ERRNO_NOTSUP, events[0].error);
    EQUAL(__WASI_ERRNO_NOTSUP, events[1].error);
    EQUAL(__WASI_ERRNO_INVAL, events[2].error);
}

static void
files_and_streams_are_ready(void)
{
    EXPECT(SUCCESS, make_file("f", "text"));
    uint32_t fd = (uint32_t)open_in("f", 0, READ | WRITE);
    EQUAL(1, read_bytes(fd, buffer, 1));
    subscribe_fd(0, fd, __WASI_EVENTTYPE_FD_READ);
    subscribe_fd(1, fd, __WASI_EVENTTYPE_FD_WRITE);
    subscribe_fd(2, 1, __WASI_EVENTTYPE_FD_WRITE);
    subscribe_fd(3, 2, __WASI_EVENTTYPE_FD_WRITE);
    subscribe_clock(4, 1, 60000 * MS, 0);
    EQUAL(4, wait_for(5));
    for (uint32_t i = 0; i < 4; i++) {
        EQUAL(0, events[i].error);
        EQUAL(0x100000000 + i, events[i].userdata);
        EQUAL(0, events[i].fd_readwrite.flags);
    }
    EQUAL(__WASI_EVENTTYPE_FD_READ, events[0].type);
    EQUAL(__WASI_EVENTTYPE_FD_WRITE, events[1].type);
    EQUAL(3, events[0].fd_readwrite.nbytes);
    TRUE(events[1].fd_readwrite.nbytes > 0);
}

static void
standard_input_is_ready_also_at_its_end(void)
{
    EQUAL(8, read_bytes(0, buffer, 100));
    EQUAL(0, read_bytes(0, buffer, 100));
    subscribe_fd(0, 0, __WASI_EVENTTYPE_FD_READ);
    subscribe_clock(1, 1, 60000 * MS, 0);
    EQUAL(1, wait_for(2));
    EQUAL(0, events[0].error);
    EQUAL(0, events[0].fd_readwrite.nbytes);
}

static void
what_cannot_be_ready_says_so_for_itself(void)
{
    EXPECT(SUCCESS, make_file("f", "text"));
    uint32_t reader = (uint32_t)open_in("f", 0, READ);
    subscribe_fd(0, 200, __WASI_EVENTTYPE_FD_READ);
    subscribe_fd(1, UINT32_MAX, __WASI_EVENTTYPE_FD_WRITE);
    subscribe_fd(2, reader, __WASI_EVENTTYPE_FD_WRITE);
    subscribe_fd(3, 1, __WASI_EVENTTYPE_FD_READ);
    subscribe_fd(4, 1, 77);
    subscribe_fd(5, 1, __WASI_EVENTTYPE_FD_WRITE);
    EQUAL(6, wait_for(6));
    EQUAL(__WASI_ERRNO_BADF, events[0].error);
    EQUAL(__WASI_ERRNO_BADF, events[1].error);
    EQUAL(__WASI_ERRNO_BADF, events[2].error);
    EQUAL(__WASI_ERRNO_BADF, events[3].error);
    EQUAL(__WASI_ERRNO_INVAL, events[4].error);
    EQUAL(__WASI_ERRNO_SUCCESS, events[5].error);
}

static void
waiting_for_nothing_or_outside_of_memory_is_refused(void)
{
    subscribe_clock(0, 1, 0, 0);
    EXPECT(INVAL, host_poll_oneoff(AT(subscriptions), AT(events), 0, AT(&ret)));
    EXPECT(FAULT, host_poll_oneoff(MEMORY_END - 47, AT(events), 1, AT(&ret)));
    EXPECT(FAULT, host_poll_oneoff(AT(subscriptions), MEMORY_END - 31, 1, AT(&ret)));
    EXPECT(FAULT, host_poll_oneoff(AT(subscriptions), AT(events), 1, MEMORY_END - 3));
    EXPECT(FAULT, host_poll_oneoff(AT(subscriptions), AT(events), UINT32_MAX, AT(&ret)));
    EXPECT(FAULT, host_poll_oneoff(AT(subscriptions), AT(events), 0x08000000, AT(&ret)));
    /* In place: the events over the subscriptions. */
    EXPECT(SUCCESS, host_poll_oneoff(AT(subscriptions), AT(subscriptions), 1, AT(&ret)));
    EQUAL(1, ret);
    EQUAL(0x100000000, subscriptions[0].userdata);
}

static void
random_bytes_fill_all_of_a_large_buffer(void)
{
    int zeroes = 0;

    memset(buffer, 0, sizeof(buffer));
    EXPECT(SUCCESS, host_random_get(AT(buffer), sizeof(buffer) - 1));
    for (size_t i = 0; i < sizeof(buffer); i++)
        zeroes += buffer[i] == 0;
    TRUE(zeroes > 100 && zeroes < 600);
    EQUAL(0, buffer[sizeof(buffer) - 1]);
    TRUE(memcmp(buffer, buffer + 100, 16) != 0);
    EXPECT(SUCCESS, host_random_get(AT(buffer), 0));
    EXPECT(SUCCESS, host_random_get(MEMORY_END - 1, 1));
    EXPECT(FAULT, host_random_get(MEMORY_END - 1, 2));
    EXPECT(FAULT, host_random_get(1024, UINT32_MAX));
    EXPECT(SUCCESS, host_random_get(MEMORY_END, 0));
}

static void
nothing_is_a_socket(void)
{
    uint32_t iovec[2] = {AT(buffer), 4};

    EXPECT(NOTSOCK, host_sock_shutdown(1, 1));
    EXPECT(BADF, host_sock_shutdown(dir, 3));
    EXPECT(NOTSOCK, host_sock_recv(0, AT(iovec), 1, 0, AT(&ret), AT(&ret2)));
    EXPECT(NOTSOCK, host_sock_send(1, AT(iovec), 1, 0, AT(&ret)));
    EXPECT(NOTSOCK, host_sock_accept(2, 0, AT(&ret)));
    EXPECT(BADF, host_sock_shutdown(200, 1));
    EXPECT(BADF, host_sock_recv(200, AT(iovec), 1, 0, AT(&ret), AT(&ret2)));
    EXPECT(BADF, host_sock_send(200, AT(iovec), 1, 0, AT(&ret)));
    EXPECT(BADF, host_sock_accept(UINT32_MAX, 0, AT(&ret)));
}

static void
signals_are_not_raised_and_yielding_is_done(void)
{
    EXPECT(NOTSUP, host_proc_raise(9));
    EXPECT(NOTSUP, host_proc_raise(UINT32_MAX));
    EXPECT(SUCCESS, host_sched_yield());
}

static void
output_is_taken_from_several_buffers(void)
{
    uint32_t iovecs[6] = {TEXT("ok written by "), AT(buffer), 0, TEXT("hand\n")};

    EXPECT(SUCCESS, host_fd_write(1, AT(iovecs), 3, AT(&ret)));
    EQUAL(19, ret);
    EXPECT(SUCCESS, host_fd_write(2, AT(iovecs), 0, AT(&ret)));
    EQUAL(0, ret);
}

int
main(void)
{
    static const struct test tests[] = {
        TEST(arguments_are_as_they_were_given),
        TEST(there_are_no_variables_but_those_that_were_given),
        TEST(clocks_go_forward),
        TEST(waiting_lasts_as_long_as_it_was_told),
        TEST(a_point_in_time_is_waited_for),
        TEST(what_is_past_is_due_at_once),
        TEST(the_first_of_several_clocks_ends_the_wait),
        TEST(clocks_of_the_processor_and_of_nobody_are_not_waited_for),
        TEST(files_and_streams_are_ready),
        TEST(standard_input_is_ready_also_at_its_end),
        TEST(what_cannot_be_ready_says_so_for_itself),
        TEST(waiting_for_nothing_or_outside_of_memory_is_refused),
        TEST(random_bytes_fill_all_of_a_large_buffer),
        TEST(nothing_is_a_socket),
        TEST(signals_are_not_raised_and_yielding_is_done),
        TEST(output_is_taken_from_several_buffers),
    };
    int failures = RUN(tests);

    fflush(stdout);
    host_proc_exit(failures == 0 ? 33 : 1);
}
