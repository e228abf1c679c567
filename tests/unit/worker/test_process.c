/* A place of the pool: legal moves, and what each use of it leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/pidfd.h>
#include <unistd.h>

#include "worker/process.h"
#include "worker/zygote_protocol.h"

static const struct job_limits limits = {.timeout_ms = 1000,
                                         .cpu_ms = 1500,
                                         .memory_mb = 64,
                                         .output_bytes = 1000000,
                                         .work_bytes = 4096,
                                         .work_files = 10,
                                         .artifacts = 3,
                                         .artifact_bytes = 5,
                                         .artifacts_total_bytes = 7};

static void
only_the_moves_of_the_drawing_are_legal(void **state)
{
    (void)state;
    for (int from = 0; from < PROCESS_STATE_COUNT; from++) {
        for (int to = 0; to < PROCESS_STATE_COUNT; to++) {
            bool one_step_on = to == from + 1;
            bool ended = from != PROCESS_FREE && to == PROCESS_FREE;
            assert_int_equal(process_may_move((enum process_state)from, (enum process_state)to),
                             one_step_on || ended);
        }
    }
}

static void
the_go_byte_arrives_with_the_limits_in_place(void **state)
{
    struct process process;
    struct err err = ERR_INIT;
    int theirs;
    char byte = 0;

    (void)state;
    process_init(&process, 5);
    assert_int_equal(
        process_prepare(&process, &(struct job_memory_sizes){100, 4096, 0}, &theirs, &err), 0);
    process_forked(&process, pidfd_open(getpid(), 0));
    assert_int_equal(process_go(&process, &limits, &err), 0);
    assert_int_equal(read(theirs, &byte, 1), 1);
    assert_int_equal(byte, JOB_GO_BYTE);
    assert_int_equal(process.memory.header->cpu_limit_us, 1500000);
    assert_int_equal(process.memory.header->work_limit_bytes, 4096);
    assert_int_equal(process.memory.header->work_limit_files, 10);
    assert_int_equal(process.memory.header->artifact_limit_count, 3);
    assert_int_equal(process.memory.header->artifact_limit_bytes, 5);
    assert_int_equal(process.memory.header->artifact_limit_total_bytes, 7);
    assert_int_equal(process.memory.header->memory_limit_bytes, 64 << 20);
    /* What does not fit is not promised. */
    assert_int_equal(process.memory.header->output_limit_bytes, 4096);
    process_ended(&process, 8);
    assert_int_equal(process.state, PROCESS_FREE);
    assert_int_equal(process.serial, 13);
    assert_int_equal(process.socket_fd, -1);
    assert_int_equal(process.pidfd, -1);
    assert_null(process.memory.header);
    /* Its socket is closed: a process that waited would end. */
    assert_int_equal(read(theirs, &byte, 1), 0);
    close(theirs);
}

static void
a_process_that_is_gone_takes_no_job(void **state)
{
    struct process process;
    struct err err = ERR_INIT;
    int theirs;

    (void)state;
    process_init(&process, 1);
    assert_int_equal(
        process_prepare(&process, &(struct job_memory_sizes){100, 100, 0}, &theirs, &err), 0);
    process_forked(&process, -1);
    close(theirs);
    assert_int_equal(process_go(&process, &limits, &err), -1);
    assert_int_equal(err.code, ERR_SANDBOX_ERROR);
    assert_int_equal(process.state, PROCESS_WARM);
    process_ended(&process, 1);
}

static void
serials_start_again_before_they_wrap(void **state)
{
    const uint32_t step = 6;
    struct process process;
    struct err err = ERR_INIT;
    int theirs;

    (void)state;
    process_init(&process, UINT32_MAX - 2);
    assert_int_equal(
        process_prepare(&process, &(struct job_memory_sizes){100, 100, 0}, &theirs, &err), 0);
    close(theirs);
    process_ended(&process, step);
    assert_int_equal(process.serial, (UINT32_MAX - 2) % step + step);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_moves_of_the_drawing_are_legal),
        cmocka_unit_test(the_go_byte_arrives_with_the_limits_in_place),
        cmocka_unit_test(a_process_that_is_gone_takes_no_job),
        cmocka_unit_test(serials_start_again_before_they_wrap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
