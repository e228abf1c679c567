/* Zygotes are replaced by plan, and nobody notices. */
/* link: tests/support/fake_zygote.c tests/unit/worker/executor_harness.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/fake_zygote.h"
#include "tests/unit/worker/executor_harness.h"

#define GUARD_S 20

static struct executor_stats
stats(void)
{
    struct executor_stats now;

    executor_stats(t.executor, &now);
    return now;
}

static void
turn(void)
{
    assert_int_equal(event_base_loop(t.base, EVLOOP_ONCE), 0);
}

/* One job, while others may run. */
static const struct result *
run_one(const char *what)
{
    struct job_run *job = start(what);

    loop_until(&job->ends, 1);
    return &job->result;
}

static void
loop_until_replaced(uint32_t times)
{
    alarm(GUARD_S);
    while (stats().zygotes_replaced < times)
        turn();
    alarm(0);
}

/* Until the process is gone, and reaped. */
static void
loop_until_gone(int pid)
{
    const struct timeval soon = {.tv_usec = 5000};

    alarm(GUARD_S);
    while (kill(pid, 0) == 0) {
        event_base_loopexit(t.base, &soon);
        turn();
    }
    alarm(0);
    assert_int_equal(errno, ESRCH);
}

static void
after_its_number_of_jobs_another_takes_over(void **state)
{
    (void)state;
    begin_with("good", &(struct executor_options){.slots = 2, .zygote_max_jobs = 3});
    loop_until_warm(2);
    int first = stats().zygote_pid;
    for (int i = 0; i < 3; i++)
        assert_int_equal(run_one("exit 0")->error, ERR_NONE);
    loop_until_replaced(1);
    assert_int_not_equal(stats().zygote_pid, first);
    assert_int_equal(t.ready, 2);
    assert_int_equal(run_one("exit 0")->error, ERR_NONE);
    loop_until_gone(first);
    assert_int_equal(t.deaths, 0);
    assert_int_equal(stats().zygote_deaths, 0);
    end();
}

static void
at_its_age_another_takes_over(void **state)
{
    (void)state;
    begin_with("good", &(struct executor_options){.slots = 1, .zygote_max_age_ms = 30});
    loop_until_replaced(3);
    assert_int_equal(run_one("exit 4")->exit_code, 4);
    end();
}

static void
without_either_it_stays(void **state)
{
    (void)state;
    begin_mode("good", 1, 0);
    for (int i = 0; i < 10; i++)
        run_one("exit 0");
    assert_int_equal(stats().zygotes_replaced, 0);
    end();
}

/* Among all turns of the loop until the last process of the old one has been exchanged. */
static void
there_are_never_fewer_processes_that_wait(void **state)
{
    (void)state;
    begin_with("good", &(struct executor_options){.slots = 3, .spare = 2, .zygote_max_jobs = 1});
    loop_until_warm(5);
    int first = stats().zygote_pid;
    run_one("exit 0");
    loop_until_warm(5);
    alarm(GUARD_S);
    while (kill(first, 0) == 0) {
        const struct timeval soon = {.tv_usec = 5000};
        event_base_loopexit(t.base, &soon);
        turn();
        assert_true(warm_count() >= 5);
    }
    alarm(0);
    assert_int_equal(stats().zygotes_replaced, 1);
    assert_int_equal(warm_count(), 5);
    end();
}

static void
what_runs_is_left_to_end(void **state)
{
    (void)state;
    begin_with("good", &(struct executor_options){.slots = 2, .zygote_max_jobs = 2});
    loop_until_warm(2);
    int first = stats().zygote_pid;
    struct job_run *sleeper = start("sleep");
    run_one("exit 0");
    loop_until_replaced(1);
    loop_until_warm(1);
    for (int i = 0; i < 5; i++)
        assert_int_equal(run_one("exit 0")->error, ERR_NONE);
    assert_int_equal(kill(first, 0), 0);
    assert_int_equal(sleeper->ends, 0);
    execution_cancel(sleeper->execution);
    loop_until(&sleeper->ends, 1);
    assert_int_equal(sleeper->result.verdict, VERDICT_CANCELLED);
    loop_until_gone(first);
    end();
}

static void
the_death_of_a_retired_one_costs_its_own_jobs_only(void **state)
{
    (void)state;
    begin_with("good", &(struct executor_options){.slots = 2, .zygote_max_jobs = 2});
    loop_until_warm(2);
    int first = stats().zygote_pid;
    struct job_run *sleeper = start("sleep");
    run_one("exit 0");
    loop_until_replaced(1);
    /* Takes the old one's last process that waits, if it still does. */
    run_one("exit 0");
    loop_until_warm(1);
    struct job_run *bystander = start("sleep");
    assert_int_equal(kill(first, SIGKILL), 0);
    loop_until(&sleeper->ends, 1);
    assert_int_equal(sleeper->result.error, ERR_SANDBOX_ERROR);
    assert_int_equal(bystander->ends, 0);
    assert_int_equal(t.deaths, 0);
    assert_int_equal(run_one("exit 0")->error, ERR_NONE);
    end();
}

static void
set_mode(const char *mode)
{
    free(t.command.argv[2]);
    t.command.argv[2] = strdup(mode);
}

static void
one_that_does_not_boot_is_tried_again_while_the_old_goes_on(void **state)
{
    (void)state;
    begin_with("good", &(struct executor_options){.slots = 1, .zygote_max_jobs = 1});
    loop_until_warm(1);
    int first = stats().zygote_pid;
    set_mode("failing");
    for (int i = 0; i < 20; i++)
        assert_int_equal(run_one("exit 0")->error, ERR_NONE);
    assert_int_equal(stats().zygote_pid, first);
    set_mode("good");
    loop_until_replaced(1);
    assert_int_equal(t.deaths, 0);
    end();
}

/* The next one is ready while the current one is dead, and about to be started again. */
static void
one_that_boots_takes_over_from_a_dead_one(void **state)
{
    (void)state;
    begin_with("good", &(struct executor_options){.slots = 1, .zygote_max_jobs = 1});
    loop_until_warm(1);
    run_one("exit 0");
    assert_int_equal(kill(stats().zygote_pid, SIGKILL), 0);
    loop_until_replaced(1);
    loop_until_warm(1);
    assert_int_equal(run_one("exit 0")->error, ERR_NONE);
    end();
}

/* Whether the worker takes the zygotes that get ready. */
static struct {
    bool takes;
    int asked;
} judge;

static int
judge_zygote(void *context, const struct layer_report *reports, struct err *err)
{
    (void)context;
    assert_false(reports[0].told);
    judge.asked++;
    return judge.takes ? 0 : err_set(err, ERR_CONFIG, 0, "it lacks a wall");
}

static void
begin_judged(void)
{
    judge.takes = true;
    judge.asked = 0;
    begin_with("good", &(struct executor_options){
                           .slots = 1, .zygote_max_jobs = 2, .accept = judge_zygote});
    loop_until_warm(1);
    assert_int_equal(judge.asked, 1);
    judge.takes = false;
}

static void
one_that_is_refused_runs_nothing_while_the_old_goes_on(void **state)
{
    (void)state;
    begin_judged();
    int first = stats().zygote_pid;
    for (int i = 0; i < 2; i++)
        assert_int_equal(run_one("exit 0")->error, ERR_NONE);
    loop_until(&judge.asked, 3); /* it is tried again */
    assert_int_equal(run_one("exit 0")->error, ERR_NONE);
    assert_int_equal(stats().zygote_pid, first);
    assert_int_equal(t.deaths, 0);
    judge.takes = true;
    loop_until_replaced(1);
    loop_until_warm(1);
    assert_int_not_equal(stats().zygote_pid, first);
    end();
}

static void
one_that_is_refused_after_a_death_runs_nothing_and_says_why(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    begin_judged();
    assert_int_equal(kill(stats().zygote_pid, SIGKILL), 0);
    loop_until(&t.deaths, 3);
    assert_int_equal(judge.asked, 3);
    assert_false(stats().ready);
    assert_null(start_with("exit 0", &usual, &err));
    assert_non_null(strstr(err.text, "it lacks a wall"));
    judge.takes = true;
    loop_until(&t.ready, 2);
    loop_until_warm(1);
    assert_int_equal(run_one("exit 0")->error, ERR_NONE);
    end();
}

static void
it_may_end_in_the_middle(void **state)
{
    (void)state;
    for (int turns = 0; turns < 12; turns++) {
        begin_with("good", &(struct executor_options){.slots = 3, .zygote_max_jobs = 1});
        loop_until_warm(3);
        start("sleep");
        for (int i = 0; i < turns; i++)
            turn();
        end();
    }
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_its_number_of_jobs_another_takes_over),
        cmocka_unit_test(at_its_age_another_takes_over),
        cmocka_unit_test(without_either_it_stays),
        cmocka_unit_test(there_are_never_fewer_processes_that_wait),
        cmocka_unit_test(what_runs_is_left_to_end),
        cmocka_unit_test(the_death_of_a_retired_one_costs_its_own_jobs_only),
        cmocka_unit_test(one_that_does_not_boot_is_tried_again_while_the_old_goes_on),
        cmocka_unit_test(one_that_boots_takes_over_from_a_dead_one),
        cmocka_unit_test(one_that_is_refused_runs_nothing_while_the_old_goes_on),
        cmocka_unit_test(one_that_is_refused_after_a_death_runs_nothing_and_says_why),
        cmocka_unit_test(it_may_end_in_the_middle),
    };

    fake_zygote_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
