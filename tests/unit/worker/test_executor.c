/* The executor and its zygote client, with a zygote that has no engine behind it. */
/* link: tests/support/fake_zygote.c tests/unit/worker/executor_harness.c */
/* ldflags: -Wl,--wrap=process_go */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/fake_zygote.h"
#include "tests/unit/worker/executor_harness.h"
#include "worker/executor.h"
#include "worker/process.h"

/* How long the worker does not run after it has sent a go byte. */
static useconds_t pause_after_go_us;

int __real_process_go(struct process *process, const struct job_limits *limits, struct err *err);
int __wrap_process_go(struct process *process, const struct job_limits *limits, struct err *err);

int
__wrap_process_go(struct process *process, const struct job_limits *limits, struct err *err)
{
    int result = __real_process_go(process, limits, err);

    usleep(pause_after_go_us);
    return result;
}

static void
a_job_that_came_before_the_zygote_was_ready_runs(void **state)
{
    (void)state;
    begin_mode("good", 1, 0);
    const struct result *result = run("print hello");
    assert_int_equal(result->verdict, VERDICT_EXITED);
    assert_int_equal(result->exit_code, 0);
    assert_int_equal(result->out.kept.size, 5);
    assert_memory_equal(result->out.kept.data, "hello", 5);
    assert_int_equal(result->err.kept.size, 0);
    assert_int_equal(result->cpu_us, 7);
    assert_int_equal(result->memory_peak_bytes, 5 * 1024);
    assert_int_equal(result->minor_faults, 3);
    assert_true(result->exec_us > 0);
    assert_int_equal(t.ready, 1);
    end();
}

static void
every_way_to_end_arrives_as_its_verdict(void **state)
{
    static const struct {
        const char *what;
        enum err_code error;
        enum verdict verdict;
        int code;
    } rows[] = {
        {"exit 7", ERR_NONE, VERDICT_EXITED, 7},
        {"trap 2", ERR_NONE, VERDICT_CRASHED, -1},
        {"signal 11", ERR_NONE, VERDICT_CRASHED, -1},
        {"signal 27", ERR_NONE, VERDICT_CPU_LIMIT, -1}, /* SIGPROF */
        {"memory", ERR_NONE, VERDICT_MEMORY_LIMIT, 1},
        {"signal 31", ERR_SANDBOX_ERROR, VERDICT_NONE, -1}, /* SIGSYS */
        {"signal 9", ERR_SANDBOX_ERROR, VERDICT_NONE, -1},
        {"silent", ERR_SANDBOX_ERROR, VERDICT_NONE, -1},
        {"fail no heap", ERR_SANDBOX_ERROR, VERDICT_NONE, -1},
    };

    (void)state;
    begin_mode("good", 2, 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct result *result = run(rows[i].what);
        if (result->error != rows[i].error || result->verdict != rows[i].verdict ||
            result->exit_code != rows[i].code)
            fail_msg("%s: %d %d %d %s", rows[i].what, (int)result->error, (int)result->verdict,
                     result->exit_code, result->detail);
    }
    end();
}

static void
the_wall_clock_kills_within_some_milliseconds(void **state)
{
    struct job_limits limits = usual;
    struct err err = ERR_INIT;

    (void)state;
    limits.timeout_ms = 50;
    begin_mode("good", 1, 0);
    struct job_run *sleeping = start_with("sleep", &limits, &err);
    loop_until(&t.ended, 1);
    assert_int_equal(sleeping->result.verdict, VERDICT_TIMED_OUT);
    assert_in_range(sleeping->result.exec_us, 49000, 2000000);
    struct job_run *spinning = start_with("spin", &limits, &err);
    loop_until(&t.ended, 2);
    assert_int_equal(spinning->result.verdict, VERDICT_TIMED_OUT);
    end();
}

static void
a_run_begins_with_the_go_byte_however_late_the_worker_goes_on(void **state)
{
    (void)state;
    begin_mode("good", 1, 0);
    pause_after_go_us = 20000;
    const struct result *result = run("exit 0");
    pause_after_go_us = 0;
    assert_true(result->exec_us >= 20000);
    end();
}

static void
cancelling_ends_running_and_waiting_jobs_once(void **state)
{
    (void)state;
    begin_mode("good", 2, 0);
    struct job_run *waiting = start("sleep");
    execution_cancel(waiting->execution);
    execution_cancel(waiting->execution);
    /* Not from within the call. */
    assert_int_equal(t.ended, 0);
    loop_until(&t.ended, 1);
    assert_int_equal(waiting->result.verdict, VERDICT_CANCELLED);
    loop_until_warm(2);
    struct job_run *running = start("sleep");
    execution_cancel(running->execution);
    loop_until(&t.ended, 2);
    assert_int_equal(running->result.verdict, VERDICT_CANCELLED);
    assert_int_equal(waiting->ends, 1);
    end();
}

static void
output_is_cut_between_characters_and_what_is_missing_is_counted(void **state)
{
    struct job_limits limits = usual;
    struct err err = ERR_INIT;

    (void)state;
    limits.output_bytes = 101;
    begin_mode("good", 1, 0);
    struct job_run *job = start_with("flood 400", &limits, &err);
    loop_until(&t.ended, 1);
    assert_int_equal(job->result.out.kept.size, 100);
    assert_int_equal(job->result.out.dropped_bytes, 300);
    end();
}

static void
more_jobs_than_slots_are_refused(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    begin_mode("good", 2, 3);
    start("sleep");
    start("sleep");
    assert_null(start_with("exit 0", &usual, &err));
    assert_int_equal(err.code, ERR_QUEUE_FULL);
    end();
}

static void
input_that_does_not_fit_is_refused(void **state)
{
    static char large[5000];
    struct err err = ERR_INIT;

    (void)state;
    memset(large, 'x', sizeof(large) - 1);
    begin_mode("good", 1, 0);
    assert_null(start_with(large, &usual, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    end();
}

static void
the_pool_is_filled_and_filled_again(void **state)
{
    (void)state;
    begin_mode("good", 3, 20);
    loop_until_warm(23);
    for (int i = 0; i < 3; i++)
        start("exit 0");
    assert_int_equal(warm_count(), 20);
    loop_until(&t.ended, 3);
    loop_until_warm(23);
    end();
}

static void
when_the_zygote_dies_its_jobs_are_told_and_another_one_takes_over(void **state)
{
    struct executor_stats stats;

    (void)state;
    begin_mode("good", 2, 1);
    loop_until_warm(3);
    struct job_run *one = start("sleep"), *other = start("sleep");
    executor_stats(t.executor, &stats);
    assert_int_equal(kill(stats.zygote_pid, SIGKILL), 0);
    loop_until(&t.ended, 2);
    assert_int_equal(one->result.error, ERR_SANDBOX_ERROR);
    assert_non_null(strstr(one->result.detail, "signal 9"));
    assert_int_equal(other->result.error, ERR_SANDBOX_ERROR);
    loop_until(&t.ready, 2);
    assert_int_equal(run("exit 5")->exit_code, 5);
    assert_int_equal(t.deaths, 1);
    end();
}

static void
assert_boot_fails(const char *mode, const char *why)
{
    struct err err = ERR_INIT;

    begin_mode(mode, 1, 0);
    const struct result *result = run("exit 0");
    assert_int_equal(result->error, ERR_SANDBOX_ERROR);
    if (strstr(result->detail, why) == NULL)
        fail_msg("%s: %s", mode, result->detail);
    /* While there is no zygote a job is refused, with the reason. */
    assert_null(start_with("exit 0", &usual, &err));
    assert_int_equal(err.code, ERR_SANDBOX_ERROR);
    assert_non_null(strstr(err.text, why));
    /* It is tried again. */
    loop_until(&t.deaths, 3);
    end();
}

static void
a_zygote_that_does_not_boot_fails_the_jobs_that_wait_and_says_why(void **state)
{
    (void)state;
    assert_boot_fails("mute", "code 3");
    assert_boot_fails("failing", "no luck");
    assert_boot_fails("stranger", "version");
    assert_boot_fails("denied", "not allowed: socket");
}

static void
a_program_that_cannot_be_started_is_a_death_too(void **state)
{
    struct err err = ERR_INIT;
    struct zygote_command missing;
    struct executor_options options = {
        .command = &missing, .slots = 1, .memory.output = 100, .on_state = note_state};

    (void)state;
    memset(&t, 0, sizeof(t));
    t.base = event_base_new();
    assert_int_equal(zygote_command_init(&missing, "/nowhere/program", NULL, &err), 0);
    assert_int_equal(zygote_command_add(&missing, "program", &err), 0);
    t.executor = executor_new(t.base, &options, &err);
    loop_until(&t.deaths, 2);
    executor_free(t.executor);
    event_base_free(t.base);
    zygote_command_fini(&missing);
}

static void
forks_that_fail_again_and_again_fail_the_jobs_that_wait(void **state)
{
    (void)state;
    begin_mode("refusing", 1, 0);
    assert_non_null(strstr(run("exit 0")->detail, "no forks today"));
    end();
    begin_mode("stillborn", 1, 0);
    const struct result *result = run("exit 0");
    assert_int_equal(result->error, ERR_SANDBOX_ERROR);
    assert_non_null(strstr(result->detail, "born too early"));
    end();
}

static void
a_process_without_a_pidfd_gives_its_place_back(void **state)
{
    (void)state;
    begin_mode("forgetful", 2, 1);
    loop_until_warm(3);
    assert_int_equal(run("exit 7")->exit_code, 7);
    end();
}

static int
open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static void
many_jobs_leave_no_descriptor_behind(void **state)
{
    int before = 0;

    (void)state;
    begin_mode("good", 2, 2);
    loop_until_warm(4);
    before = open_descriptors();
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 4; i++) {
            result_fini(&t.jobs[0].result);
            t.started = t.ended = 0;
            t.jobs[0].ends = 0;
            run(i % 2 == 0 ? "exit 0" : "signal 11");
        }
    }
    loop_until_warm(4);
    assert_int_equal(open_descriptors(), before);
    end();
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_that_came_before_the_zygote_was_ready_runs),
        cmocka_unit_test(every_way_to_end_arrives_as_its_verdict),
        cmocka_unit_test(the_wall_clock_kills_within_some_milliseconds),
        cmocka_unit_test(a_run_begins_with_the_go_byte_however_late_the_worker_goes_on),
        cmocka_unit_test(cancelling_ends_running_and_waiting_jobs_once),
        cmocka_unit_test(output_is_cut_between_characters_and_what_is_missing_is_counted),
        cmocka_unit_test(more_jobs_than_slots_are_refused),
        cmocka_unit_test(input_that_does_not_fit_is_refused),
        cmocka_unit_test(the_pool_is_filled_and_filled_again),
        cmocka_unit_test(when_the_zygote_dies_its_jobs_are_told_and_another_one_takes_over),
        cmocka_unit_test(a_zygote_that_does_not_boot_fails_the_jobs_that_wait_and_says_why),
        cmocka_unit_test(a_program_that_cannot_be_started_is_a_death_too),
        cmocka_unit_test(forks_that_fail_again_and_again_fail_the_jobs_that_wait),
        cmocka_unit_test(a_process_without_a_pidfd_gives_its_place_back),
        cmocka_unit_test(many_jobs_leave_no_descriptor_behind),
    };

    fake_zygote_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
