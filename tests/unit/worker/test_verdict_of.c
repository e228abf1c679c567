/* What became of a job: one table row per way to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "worker/engine/engine.h"
#include "worker/job_memory.h"
#include "worker/verdict_of.h"

#define EXIT(code) ((code) << 8)
#define SIGNAL(n)  (n)
#define LIMIT_US   2000000

struct row {
    const char *name;
    struct ending ending;
    enum err_code error;
    enum verdict verdict;
    int exit_code, term_signal;
    const char *detail; /* a part of it */
};

static const struct row rows[] = {
    {"exit 0", {.status = EXIT(0), .note = JOB_NOTE_EXITED}, ERR_NONE, VERDICT_EXITED, 0, 0, ""},
    {"exit 255",
     {.status = EXIT(255), .note = JOB_NOTE_EXITED},
     ERR_NONE,
     VERDICT_EXITED,
     255,
     0,
     ""},
    {"exit 125 of the program's own",
     {.status = EXIT(125), .note = JOB_NOTE_EXITED},
     ERR_NONE,
     VERDICT_EXITED,
     125,
     0,
     ""},
    {"the kernel's exit code counts, not the note's",
     {.status = EXIT(3), .note = JOB_NOTE_EXITED, .exit_code = 7},
     ERR_NONE,
     VERDICT_EXITED,
     3,
     0,
     ""},
    {"memory error at the limit",
     {.status = EXIT(1), .note = JOB_NOTE_EXITED, .memory_refused = true, .memory_fatal = true},
     ERR_NONE,
     VERDICT_MEMORY_LIMIT,
     1,
     0,
     "refused"},
    {"memory error that was caught",
     {.status = EXIT(0), .note = JOB_NOTE_EXITED, .memory_refused = true, .memory_fatal = true},
     ERR_NONE,
     VERDICT_EXITED,
     0,
     0,
     ""},
    {"memory refused, but the program died of something else",
     {.status = EXIT(1), .note = JOB_NOTE_EXITED, .memory_refused = true},
     ERR_NONE,
     VERDICT_EXITED,
     1,
     0,
     ""},
    {"memory error of a request beyond the address space",
     {.status = EXIT(1), .note = JOB_NOTE_EXITED, .memory_fatal = true},
     ERR_NONE,
     VERDICT_MEMORY_LIMIT,
     1,
     0,
     "none was refused"},
    {"our own failure",
     {.status = EXIT(125), .note = JOB_NOTE_HOST_FAILURE, .text = "no such luck"},
     ERR_SANDBOX_ERROR,
     VERDICT_NONE,
     -1,
     0,
     "no such luck"},
    {"exit without a note",
     {.status = EXIT(0)},
     ERR_SANDBOX_ERROR,
     VERDICT_NONE,
     -1,
     0,
     "code 0 before the program did"},
    {"wall clock",
     {.status = SIGNAL(SIGKILL), .killed = KILL_TIMEOUT, .timeout_ms = 1500},
     ERR_NONE,
     VERDICT_TIMED_OUT,
     -1,
     0,
     "1.500 s"},
    {"wall clock, in a fight for memory",
     {.status = SIGNAL(SIGKILL),
      .killed = KILL_TIMEOUT,
      .timeout_ms = 1500,
      .memory_refused = true,
      .memory_fatal = true},
     ERR_NONE,
     VERDICT_TIMED_OUT,
     -1,
     0,
     "1.500 s; memory beyond the limit had been refused"},
    {"exit just before the wall clock's kill",
     {.status = EXIT(4), .note = JOB_NOTE_EXITED, .killed = KILL_TIMEOUT},
     ERR_NONE,
     VERDICT_EXITED,
     4,
     0,
     ""},
    {"cancelled",
     {.status = SIGNAL(SIGKILL), .killed = KILL_CANCELLED},
     ERR_NONE,
     VERDICT_CANCELLED,
     -1,
     0,
     ""},
    {"CPU timer", {.status = SIGNAL(SIGPROF)}, ERR_NONE, VERDICT_CPU_LIMIT, -1, 0, "2.000 s"},
    {"CPU timer, in a fight for memory",
     {.status = SIGNAL(SIGPROF), .memory_refused = true},
     ERR_NONE,
     VERDICT_CPU_LIMIT,
     -1,
     0,
     "CPU time; memory beyond the limit had been refused"},
    {"CPU limit's soft signal",
     {.status = SIGNAL(SIGXCPU)},
     ERR_NONE,
     VERDICT_CPU_LIMIT,
     -1,
     0,
     "CPU"},
    {"CPU limit's hard kill",
     {.status = SIGNAL(SIGKILL), .cpu_us = LIMIT_US},
     ERR_NONE,
     VERDICT_CPU_LIMIT,
     -1,
     0,
     "CPU"},
    {"killed from outside",
     {.status = SIGNAL(SIGKILL), .cpu_us = LIMIT_US - 1},
     ERR_SANDBOX_ERROR,
     VERDICT_NONE,
     -1,
     0,
     "from outside"},
    {"killed by the kernel, which chose it from all jobs",
     {.status = SIGNAL(SIGKILL), .out_of_memory = true, .memory_refused = true},
     ERR_SANDBOX_ERROR,
     VERDICT_NONE,
     -1,
     0,
     "had no memory left"},
    {"killed at the wall clock as memory ran out",
     {.status = SIGNAL(SIGKILL), .out_of_memory = true, .killed = KILL_TIMEOUT},
     ERR_NONE,
     VERDICT_TIMED_OUT,
     -1,
     0,
     "stopped after"},
    {"forbidden call",
     {.status = SIGNAL(SIGSYS)},
     ERR_SANDBOX_ERROR,
     VERDICT_NONE,
     -1,
     0,
     "system call"},
    {"forbidden call that is named",
     {.status = SIGNAL(SIGSYS), .denied_call = SYS_socket + 1},
     ERR_SANDBOX_ERROR,
     VERDICT_NONE,
     -1,
     0,
     "a system call that is not allowed: socket"},
    {"forbidden call that the library does not know",
     {.status = SIGNAL(SIGSYS), .denied_call = 4712},
     ERR_SANDBOX_ERROR,
     VERDICT_NONE,
     -1,
     0,
     "not allowed: number 4711"},
    {"a number that no call can have",
     {.status = SIGNAL(SIGSYS), .denied_call = UINT32_MAX - 100},
     ERR_SANDBOX_ERROR,
     VERDICT_NONE,
     -1,
     0,
     "not allowed: number -102"},
    {"trap",
     {.status = SIGNAL(SIGILL), .note = JOB_NOTE_TRAP, .trap = ENGINE_TRAP_OUT_OF_BOUNDS},
     ERR_NONE,
     VERDICT_CRASHED,
     -1,
     SIGILL,
     "trap: out of bounds memory access"},
    {"trap after memory was refused",
     {.status = SIGNAL(SIGILL),
      .note = JOB_NOTE_TRAP,
      .trap = ENGINE_TRAP_UNREACHABLE,
      .memory_refused = true},
     ERR_NONE,
     VERDICT_CRASHED,
     -1,
     SIGILL,
     "refused"},
    {"trap of a number that there is not",
     {.status = SIGNAL(SIGILL), .note = JOB_NOTE_TRAP, .trap = UINT32_MAX},
     ERR_NONE,
     VERDICT_CRASHED,
     -1,
     SIGILL,
     "trap: unknown"},
    {"signal without a note",
     {.status = SIGNAL(SIGSEGV)},
     ERR_NONE,
     VERDICT_CRASHED,
     -1,
     SIGSEGV,
     "signal 11"},
    {"signal with a core dump's bit",
     {.status = SIGNAL(SIGBUS) | 0x80},
     ERR_NONE,
     VERDICT_CRASHED,
     -1,
     SIGBUS,
     "signal 7"},
};

static void
every_way_to_end_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct ending ending = row->ending;
        struct result result = {.term_signal = 99, .exit_code = 99};

        ending.cpu_limit_us = LIMIT_US;
        verdict_of(&ending, &result);
        if (result.error != row->error || result.verdict != row->verdict ||
            result.exit_code != row->exit_code || result.term_signal != row->term_signal ||
            strstr(result.detail, row->detail) == NULL)
            fail_msg("%s: error %d verdict %d code %d signal %d detail \"%s\"", row->name,
                     (int)result.error, (int)result.verdict, result.exit_code, result.term_signal,
                     result.detail);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_way_to_end_has_its_verdict)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
