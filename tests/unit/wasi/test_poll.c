/* link: tests/unit/wasi/fixture.c tests/unit/wasi/image.c */
#include <time.h>

#include "tests/unit/wasi/fixture.h"

#define MS 1000000ull

static uint64_t
now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static struct wasi_event
event_at(uint32_t events, uint32_t index)
{
    struct wasi_event event;

    memcpy(&event, guest_memory + events + index * sizeof(event), sizeof(event));
    return event;
}

static struct wasi_subscription
clock_subscription(uint64_t userdata, uint32_t clock, uint64_t timeout, uint16_t flags)
{
    return (struct wasi_subscription){
        .userdata = userdata, .id = clock, .timeout = timeout, .flags = flags};
}

static struct wasi_subscription
fd_subscription(uint64_t userdata, uint8_t tag, uint32_t fd)
{
    return (struct wasi_subscription){.userdata = userdata, .tag = tag, .id = fd};
}

/* Polls; the events, and how many, or minus the errno. */
static int
poll_these(const struct wasi_subscription *subscriptions, uint32_t count, uint32_t *events)
{
    uint32_t in = guest_place(count * sizeof(*subscriptions)), ret = guest_place(4);

    *events = guest_place(count * sizeof(struct wasi_event));
    memcpy(guest_memory + in, subscriptions, count * sizeof(*subscriptions));
    uint32_t error = wasi_poll_oneoff(in, *events, count, ret);
    return error != WASI_OK ? -(int)error : (int)guest_u32(ret);
}

static uint64_t
time_poll(const struct wasi_subscription *subscription)
{
    uint32_t events;
    uint64_t start = now(CLOCK_MONOTONIC);

    assert_int_equal(poll_these(subscription, 1, &events), 1);
    assert_int_equal(event_at(events, 0).userdata, subscription->userdata);
    assert_int_equal(event_at(events, 0).error, WASI_OK);
    assert_int_equal(event_at(events, 0).type, WASI_EVENT_CLOCK);
    return now(CLOCK_MONOTONIC) - start;
}

static void
a_relative_timeout_is_slept_for(void **state)
{
    struct wasi_subscription real = clock_subscription(7, WASI_CLOCK_REALTIME, 20 * MS, 0);
    struct wasi_subscription monotonic = clock_subscription(8, WASI_CLOCK_MONOTONIC, 20 * MS, 0);

    (void)state;
    assert_true(time_poll(&real) >= 20 * MS);
    assert_true(time_poll(&monotonic) >= 20 * MS);
}

static void
an_absolute_time_is_slept_until(void **state)
{
    struct wasi_subscription monotonic =
        clock_subscription(1, WASI_CLOCK_MONOTONIC, now(CLOCK_MONOTONIC) + 20 * MS, 1);

    (void)state;
    assert_true(time_poll(&monotonic) >= 18 * MS);
    struct wasi_subscription real =
        clock_subscription(1, WASI_CLOCK_REALTIME, now(CLOCK_REALTIME) + 20 * MS, 1);
    assert_true(time_poll(&real) >= 18 * MS);
}

static void
what_is_past_or_zero_returns_at_once(void **state)
{
    const struct wasi_subscription past[] = {
        clock_subscription(1, WASI_CLOCK_MONOTONIC, 0, 0),
        clock_subscription(1, WASI_CLOCK_REALTIME, 0, 0),
        clock_subscription(1, WASI_CLOCK_MONOTONIC, 0, 1),
        clock_subscription(1, WASI_CLOCK_MONOTONIC, now(CLOCK_MONOTONIC), 1),
        clock_subscription(1, WASI_CLOCK_REALTIME, 5, 1),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(past) / sizeof(past[0]); i++)
        assert_true(time_poll(&past[i]) < 1000 * MS);
}

static void
the_earliest_clock_wins(void **state)
{
    const struct wasi_subscription clocks[] = {
        clock_subscription(1, WASI_CLOCK_MONOTONIC, UINT64_MAX, 0),
        clock_subscription(2, WASI_CLOCK_REALTIME, 5 * MS, 0),
        clock_subscription(3, WASI_CLOCK_MONOTONIC, UINT64_MAX, 1),
    };
    uint32_t events;

    (void)state;
    assert_int_equal(poll_these(clocks, 3, &events), 1);
    assert_int_equal(event_at(events, 0).userdata, 2);
}

static void
a_ready_descriptor_keeps_nobody_waiting(void **state)
{
    make_file("work/a", "12345");
    int fd = open_at(ROOT, "work/a", 0, EVERYTHING, 0);
    const struct wasi_subscription mixed[] = {
        clock_subscription(1, WASI_CLOCK_MONOTONIC, UINT64_MAX, 0),
        fd_subscription(2, WASI_EVENT_FD_WRITE, 1),
        fd_subscription(3, WASI_EVENT_FD_READ, (uint32_t)fd),
        clock_subscription(4, WASI_CLOCK_MONOTONIC, 0, 0),
        fd_subscription(5, WASI_EVENT_FD_READ, 0),
    };
    uint32_t events;

    (void)state;
    assert_int_equal(poll_these(mixed, 5, &events), 4);
    assert_int_equal(event_at(events, 0).userdata, 2);
    assert_int_equal(event_at(events, 0).type, WASI_EVENT_FD_WRITE);
    assert_true(event_at(events, 0).nbytes > 0);
    assert_int_equal(event_at(events, 1).userdata, 3);
    assert_int_equal(event_at(events, 1).nbytes, 5);
    assert_int_equal(event_at(events, 2).userdata, 4);
    assert_int_equal(event_at(events, 3).userdata, 5);
    assert_int_equal(event_at(events, 3).nbytes, 0);
}

static void
what_cannot_be_waited_for_is_an_event_with_an_error(void **state)
{
    const struct wasi_subscription bad[] = {
        fd_subscription(1, WASI_EVENT_FD_READ, 99),
        fd_subscription(2, WASI_EVENT_FD_READ, 1),
        clock_subscription(3, 9, 0, 0),
        clock_subscription(4, WASI_CLOCK_PROCESS_CPU, 0, 0),
        fd_subscription(5, 7, 0),
    };
    static const uint16_t errors[] = {WASI_EBADF, WASI_EBADF, WASI_EINVAL, WASI_ENOTSUP,
                                      WASI_EINVAL};
    uint32_t events;

    (void)state;
    assert_int_equal(poll_these(bad, 5, &events), 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(event_at(events, i).userdata, i + 1);
        assert_int_equal(event_at(events, i).error, errors[i]);
    }
}

static void
counts_and_pointers_are_checked(void **state)
{
    uint32_t in = guest_place(48), out = guest_place(32), ret = guest_place(4);
    struct wasi_subscription zero = clock_subscription(1, 0, 0, 0);

    (void)state;
    memcpy(guest_memory + in, &zero, sizeof(zero));
    assert_int_equal(wasi_poll_oneoff(in, out, 0, ret), WASI_EINVAL);
    assert_int_equal(wasi_poll_oneoff(in, out, UINT32_MAX, ret), WASI_EFAULT);
    assert_int_equal(wasi_poll_oneoff(MEMORY_BYTES - 47, out, 1, ret), WASI_EFAULT);
    assert_int_equal(wasi_poll_oneoff(in, MEMORY_BYTES - 31, 1, ret), WASI_EFAULT);
    assert_int_equal(wasi_poll_oneoff(in, out, 1, MEMORY_BYTES - 3), WASI_EFAULT);
    assert_int_equal(wasi_poll_oneoff(in, in, 1, ret), WASI_OK);
    assert_int_equal(guest_u32(ret), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_relative_timeout_is_slept_for, fixture_setup),
        cmocka_unit_test_setup(an_absolute_time_is_slept_until, fixture_setup),
        cmocka_unit_test_setup(what_is_past_or_zero_returns_at_once, fixture_setup),
        cmocka_unit_test_setup(the_earliest_clock_wins, fixture_setup),
        cmocka_unit_test_setup(a_ready_descriptor_keeps_nobody_waiting, fixture_setup),
        cmocka_unit_test_setup(what_cannot_be_waited_for_is_an_event_with_an_error, fixture_setup),
        cmocka_unit_test_setup(counts_and_pointers_are_checked, fixture_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
