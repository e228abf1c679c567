#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/failures.h"
#include "common/metrics.h"

static void
note(enum verdict verdict, uint64_t exec_us)
{
    const struct result result = {.verdict = verdict, .exec_us = exec_us};

    failures_note(0, &result, NULL, 0);
}

static int
make_list(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    return failures_init(&err);
}

static void
programs_that_end_by_themselves_are_no_failures(void **state)
{
    struct failure list[FAILURES_KEPT];

    (void)state;
    note(VERDICT_EXITED, 1);
    note(VERDICT_CANCELLED, 1);
    assert_int_equal(failures_list(list), 0);
}

static void
the_newest_is_the_first_and_errors_have_waited_for_all_of_their_time(void **state)
{
    const struct err err = {.code = ERR_QUEUE_TIMEOUT};
    struct failure list[FAILURES_KEPT];

    (void)state;
    note(VERDICT_TIMED_OUT, 7);
    failures_note(0, NULL, &err, 9);
    assert_int_equal(failures_list(list), 2);
    assert_int_equal(list[0].queue_us, 9);
    assert_int_equal(list[0].outcome, metrics_outcome(ERR_QUEUE_TIMEOUT, VERDICT_NONE));
    assert_int_equal(list[1].exec_us, 7);
    assert_int_equal(list[1].outcome, metrics_outcome(ERR_NONE, VERDICT_TIMED_OUT));
}

static void
another_process_adds_to_the_same_list_and_the_oldest_go(void **state)
{
    struct failure list[FAILURES_KEPT];
    pid_t child;
    int status;

    (void)state;
    child = fork();
    if (child == 0) {
        for (uint64_t i = 1; i <= FAILURES_KEPT + 5; i++)
            note(VERDICT_CRASHED, i);
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(failures_list(list), FAILURES_KEPT);
    assert_int_equal(list[0].exec_us, FAILURES_KEPT + 5);
    assert_int_equal(list[FAILURES_KEPT - 1].exec_us, 6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_that_end_by_themselves_are_no_failures),
        cmocka_unit_test(the_newest_is_the_first_and_errors_have_waited_for_all_of_their_time),
        cmocka_unit_test(another_process_adds_to_the_same_list_and_the_oldest_go),
    };
    return cmocka_run_group_tests(tests, make_list, NULL);
}
