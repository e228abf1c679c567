/* link: tests/unit/wasi/fixture.c tests/unit/wasi/image.c */
/* Requests for fibers: which writes are one, and that nothing else is. */
#include "tests/unit/wasi/fixture.h"

#include "worker/engine/fiber.h"
#include "worker/engine/fiber_abi.h"

#define REQUEST_BYTES ((uint32_t)sizeof(struct fiber_request))

/* ---- an engine that notes what it is asked for ---- */

static enum engine_fiber_answer answer;
static int asked;
static struct fiber_request seen;

static enum engine_fiber_answer
note(const struct fiber_request *request)
{
    asked++;
    seen = *request;
    return answer;
}

static int
setup(void **state)
{
    answer = ENGINE_FIBER_OK;
    asked = 0;
    fixture_setup(state);
    wasi_state.config.hooks.fiber = note;
    return 0;
}

/* ---- the guest's side ---- */

static uint32_t
request_place(uint32_t operation, uint32_t a, uint32_t b, uint32_t c)
{
    const uint32_t values[] = {operation, a, b, c};
    uint32_t place = guest_place(sizeof(values));

    assert_int_equal(sizeof(values), REQUEST_BYTES);
    memcpy(guest_memory + place, values, sizeof(values));
    return place;
}

static uint32_t
ask(uint32_t operation, uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t place = request_place(operation, a, b, c), ret = guest_place(4);
    uint32_t error = wasi_fd_write(FIBER_FD, guest_iovs(1, place, REQUEST_BYTES), 1, ret);

    if (error == WASI_OK)
        assert_int_equal(guest_u32(ret), REQUEST_BYTES);
    return error;
}

static void
a_request_reaches_the_engine_as_it_is(void **state)
{
    (void)state;
    assert_int_equal(ask(FIBER_NEW, 1, 2, 3), WASI_OK);
    assert_int_equal(seen.operation, FIBER_NEW);
    assert_int_equal(seen.as.fiber.slot, 1);
    assert_int_equal(seen.as.fiber.argument, 2);
    assert_int_equal(ask(FIBER_PREEMPT, 8, 16, 5000), WASI_OK);
    assert_int_equal(seen.as.preempt.flags[0], 8);
    assert_int_equal(seen.as.preempt.flags[1], 16);
    assert_int_equal(seen.as.preempt.interval_us, 5000);
    assert_int_equal(ask(UINT32_MAX, 0, 0, 0), WASI_OK);
    assert_int_equal(seen.operation, UINT32_MAX);
    assert_int_equal(asked, 3);
}

static void
the_engines_answers_are_errnos(void **state)
{
    (void)state;
    answer = ENGINE_FIBER_INVALID;
    assert_int_equal(ask(FIBER_SWITCH, 7, 0, 0), WASI_EINVAL);
    answer = ENGINE_FIBER_NO_MEMORY;
    assert_int_equal(ask(FIBER_NEW, 1, 2, 3), WASI_EAGAIN);
    answer = ENGINE_FIBER_NOT_ALLOWED;
    assert_int_equal(ask(FIBER_NEW, 1, 2, 3), WASI_EBADF);
}

static void
a_write_of_another_shape_meets_no_descriptor(void **state)
{
    uint32_t place = request_place(FIBER_SWITCH, 1, 0, 0), ret = guest_place(4);
    uint32_t two = guest_iovs(2, place, REQUEST_BYTES, place, 0);
    uint32_t halves = guest_iovs(2, place, 8, place + 8, 8);

    (void)state;
    for (uint32_t size = 0; size < 64; size++)
        if (size != REQUEST_BYTES)
            assert_int_equal(wasi_fd_write(FIBER_FD, guest_iovs(1, place, size), 1, ret),
                             WASI_EBADF);
    assert_int_equal(wasi_fd_write(FIBER_FD, two, 2, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_write(FIBER_FD, halves, 2, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_write(FIBER_FD, two, 0, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_write(FIBER_FD, two, UINT32_MAX, ret), WASI_EBADF);
    assert_int_equal(
        wasi_fd_write(FIBER_FD, guest_iovs(1, MEMORY_BYTES - 10, REQUEST_BYTES), 1, ret),
        WASI_EBADF);
    assert_int_equal(wasi_fd_write(FIBER_FD, guest_iovs(1, UINT32_MAX - 3, REQUEST_BYTES), 1, ret),
                     WASI_EBADF);
    assert_int_equal(wasi_fd_write(FIBER_FD, MEMORY_BYTES - 4, 1, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_write(FIBER_FD, two, 1, MEMORY_BYTES - 3), WASI_EBADF);
    assert_int_equal(wasi_fd_write(FIBER_FD, two, 1, 0), WASI_EBADF);
    assert_int_equal(asked, 0);
    assert_int_equal(wasi_fd_write(FIBER_FD, two, 1, ret), WASI_OK);
    assert_int_equal(asked, 1);
}

static void
a_guest_without_fibers_meets_no_descriptor(void **state)
{
    (void)state;
    wasi_state.config.hooks.fiber = NULL;
    assert_int_equal(ask(FIBER_SWITCH, 7, 0, 0), WASI_EBADF);
    assert_int_equal(asked, 0);
}

static void
every_other_call_meets_no_descriptor(void **state)
{
    uint32_t place = request_place(FIBER_SWITCH, 1, 0, 0), ret = guest_place(64);
    uint32_t iovs = guest_iovs(1, place, REQUEST_BYTES), name = guest_string("x");

    (void)state;
    assert_int_equal(wasi_fd_pwrite(FIBER_FD, iovs, 1, 0, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_read(FIBER_FD, iovs, 1, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_pread(FIBER_FD, iovs, 1, 0, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_seek(FIBER_FD, 0, WASI_WHENCE_SET, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_tell(FIBER_FD, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_close(FIBER_FD), WASI_EBADF);
    assert_int_equal(wasi_fd_renumber(FIBER_FD, 1), WASI_EBADF);
    assert_int_equal(wasi_fd_renumber(1, FIBER_FD), WASI_EBADF);
    assert_int_equal(wasi_fd_fdstat_get(FIBER_FD, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_fdstat_set_flags(FIBER_FD, 0), WASI_EBADF);
    assert_int_equal(wasi_fd_filestat_get(FIBER_FD, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_prestat_get(FIBER_FD, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_readdir(FIBER_FD, place, 8, 0, ret), WASI_EBADF);
    assert_int_equal(wasi_fd_sync(FIBER_FD), WASI_EBADF);
    assert_int_equal(wasi_path_unlink_file(FIBER_FD, name, 1), WASI_EBADF);
    assert_int_equal(wasi_sock_shutdown(FIBER_FD, 0), WASI_EBADF);
    assert_int_equal(asked, 0);
    /* And it is still there. */
    assert_int_equal(ask(FIBER_SWITCH, 7, 0, 0), WASI_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_request_reaches_the_engine_as_it_is, setup),
        cmocka_unit_test_setup(the_engines_answers_are_errnos, setup),
        cmocka_unit_test_setup(a_write_of_another_shape_meets_no_descriptor, setup),
        cmocka_unit_test_setup(a_guest_without_fibers_meets_no_descriptor, setup),
        cmocka_unit_test_setup(every_other_call_meets_no_descriptor, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
