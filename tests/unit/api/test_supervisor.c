/* The supervisor with real processes that do not serve HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/supervisor.h"
#include "common/clock.h"
#include "common/log.h"

#define STARTS_MOST 64

/* Shared by all processes of a test. */
static struct {
    _Atomic unsigned starts, ends, collisions, highest_slot;
    uint64_t started_us[STARTS_MOST];
    _Atomic unsigned slots_seen[SUPERVISOR_SLOTS];
    _Atomic unsigned living, most_living, wanted, too_few;
    _Atomic bool ending; /* all are told to */
} * seen;

static int
setup(void **state)
{
    sigset_t none;
    (void)state;
    /* As before supervisor_run() of the test before. */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return seen != MAP_FAILED ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    return munmap(seen, sizeof(*seen));
}

static unsigned
note_start(unsigned slot)
{
    unsigned number = seen->starts++;
    if (number < STARTS_MOST)
        seen->started_us[number] = clock_monotonic_us();
    if (seen->slots_seen[slot]++ > 0)
        seen->collisions++;
    if (slot > seen->highest_slot)
        seen->highest_slot = slot;
    return number;
}

static void
on_term(int number)
{
    (void)number;
}

/* Until SIGTERM. */
static void
serve_well(struct supervisor_report *report)
{
    const struct sigaction action = {.sa_handler = on_term};
    sigset_t blocked, before;
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &blocked, &before);
    (void)sigaction(SIGTERM, &action, NULL);
    unsigned living = ++seen->living;
    if (living > seen->most_living)
        seen->most_living = living;
    supervisor_report_serving(report);
    (void)sigsuspend(&before);
    if (--seen->living < seen->wanted && !seen->ending)
        seen->too_few++;
}

static void
ignore_all_serving(void *context)
{
    (void)context;
}

static void
count_end(void *context, unsigned slot)
{
    (void)context;
    seen->slots_seen[slot]--;
    seen->ends++;
}

static int
supervise(unsigned processes,
          int (*serve)(void *, unsigned, struct supervisor_report *, struct err *), struct err *err)
{
    const struct supervisor_options options = {.processes = processes,
                                               .listen_fd = open("/dev/null", O_RDWR | O_CLOEXEC),
                                               .drain_timeout_ms = 10000,
                                               .serve = serve,
                                               .on_all_serving = ignore_all_serving,
                                               .on_ended = count_end};
    seen->wanted = processes;
    return supervisor_run(&options, err);
}

/* ---- ways to serve ---- */

static int
crash_five_times(void *context, unsigned slot, struct supervisor_report *report, struct err *err)
{
    (void)context, (void)err;
    if (note_start(slot) < 5)
        _exit(7);
    kill(getppid(), SIGTERM);
    serve_well(report);
    return 0;
}

static int
fail_as_second(void *context, unsigned slot, struct supervisor_report *report, struct err *err)
{
    (void)context;
    if (note_start(slot) == 1)
        return err_set(err, ERR_CONFIG, 0, "The second one cannot.");
    serve_well(report);
    return 0;
}

/* The first replacement cannot serve; then the parent is told to end. */
static int
fail_as_replacement(void *context, unsigned slot, struct supervisor_report *report, struct err *err)
{
    (void)context;
    if (note_start(slot) == 2) {
        kill(getppid(), SIGTERM);
        return err_set(err, ERR_SYSTEM, 0, "No replacement.");
    }
    if (seen->starts == 2)
        kill(getppid(), SIGHUP);
    serve_well(report);
    return 0;
}

static int
roll_twice(void *context, unsigned slot, struct supervisor_report *report, struct err *err)
{
    (void)context, (void)err;
    unsigned number = note_start(slot);
    if (number == 2 || number == 5)
        kill(getppid(), SIGHUP);
    if (number == 8) {
        seen->ending = true;
        kill(getppid(), SIGTERM);
    }
    serve_well(report);
    return 0;
}

/* ---- tests ---- */

static void
one_that_keeps_dying_is_started_at_growing_intervals(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(supervise(1, crash_five_times, &err), 0);
    assert_int_equal(seen->starts, 6);
    for (unsigned i = 1; i < 6; i++) {
        uint64_t waited_ms = (seen->started_us[i] - seen->started_us[i - 1]) / 1000;
        if (waited_ms < (100u << (i - 1)) - 1)
            fail_msg("start %u came %u ms after the one before", i, (unsigned)waited_ms);
    }
}

static void
what_keeps_one_of_the_first_from_serving_ends_all(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(supervise(3, fail_as_second, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_string_equal(err.text, "The second one cannot.");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void
a_replacement_that_cannot_serve_ends_nobody(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(supervise(2, fail_as_replacement, &err), 0);
    assert_int_equal(err.code, ERR_NONE);
    assert_int_equal(seen->starts, 3);
}

static void
a_rolling_restart_replaces_one_after_the_other(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(supervise(3, roll_twice, &err), 0);
    assert_int_equal(seen->starts, 9);
    assert_in_range(seen->most_living, 3, 4);
    assert_int_equal(seen->too_few, 0);
}

static void
every_end_is_told_and_no_slot_is_used_twice(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(supervise(3, roll_twice, &err), 0);
    assert_int_equal(seen->ends, seen->starts);
    assert_int_equal(seen->collisions, 0);
    /* Three places, of which one is there twice. */
    assert_in_range(seen->highest_slot, 2, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_that_keeps_dying_is_started_at_growing_intervals),
        TEST(what_keeps_one_of_the_first_from_serving_ends_all),
        TEST(a_replacement_that_cannot_serve_ends_nobody),
        TEST(a_rolling_restart_replaces_one_after_the_other),
        TEST(every_end_is_told_and_no_slot_is_used_twice),
    };
    log_init("test", LOG_ERROR + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
