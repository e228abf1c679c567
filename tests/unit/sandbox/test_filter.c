/* Both system call filters: for every row of a table what it allows and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/sandbox/denied_call.h"
#include "worker/sandbox/filter.h"
#include "worker/sandbox/filter_internal.h"

#define ARGUMENT_COUNT 6
#define X32_BIT        0x40000000
/* Beyond the last call of any kernel that this was tried on. */
#define CALL_MAX       600
/* uretprobe and uprobe: the kernel's own trampolines, which it lets past every filter by design;
 * called by anything else they do nothing. */
#define PROBE_FIRST    335
#define PROBE_LAST     336

static const struct table {
    const struct call_rule *rules;
    const size_t *count;
    int (*install)(struct err *err);
} tables[] = {
    {job_calls, &job_call_count, filter_install},
    {zygote_calls, &zygote_call_count, filter_install_zygote},
};

/* The one that is tested. */
static const struct table *table;

struct call {
    long number;
    uint64_t arguments[ARGUMENT_COUNT];
};

/* Makes the call under the filter, in a child; returns how the child ended. */
static int
try_call(const struct call *call)
{
    const uint64_t *a = call->arguments;
    struct rlimit no_core = {0, 0};
    struct err err = ERR_INIT;
    int status;

    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        setrlimit(RLIMIT_CORE, &no_core);
        if (null < 0 || dup2(null, JOB_SOCKET_FD) < 0 || denied_call_watch(&err) < 0 ||
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || table->install(&err) < 0)
            _exit(99);
        syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 99);
    return status;
}

static bool
is_refused(const struct call *call)
{
    int status = try_call(call);

    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static bool
check_holds(const struct call_check *check, const struct call *call)
{
    uint64_t argument = call->arguments[check->argument];

    if (check->kind == CALL_CHECK_MASKED)
        return (argument & check->mask) == check->value;
    return argument == check->value;
}

/* What the table says, independently of libseccomp. */
static bool
table_allows(const struct call *call)
{
    for (size_t i = 0; i < *table->count; i++) {
        const struct call_rule *row = &table->rules[i];
        bool holds = row->number == call->number;
        for (int n = 0; holds && n < CALL_CHECKS_MAX; n++) {
            if (row->checks[n].kind == CALL_CHECK_NONE)
                break;
            holds = check_holds(&row->checks[n], call);
        }
        if (holds)
            return true;
    }
    return false;
}

/* A call that the row allows; what it does not check is invalid, so that nothing happens. */
static struct call
call_of_row(const struct call_rule *row)
{
    struct call call = {.number = row->number};

    for (int n = 0; n < ARGUMENT_COUNT; n++)
        call.arguments[n] = UINT64_MAX;
    for (int n = 0; n < CALL_CHECKS_MAX; n++)
        if (row->checks[n].kind != CALL_CHECK_NONE)
            call.arguments[row->checks[n].argument] = row->checks[n].value;
    return call;
}

/* Would it do what it says? To fork needs no valid argument, to return from a signal no signal. */
static bool
is_tried(long number)
{
    return number != SYS_clone;
}

static void
what_a_row_allows_is_not_killed(void **state)
{
    (void)state;
    for (size_t i = 0; i < *table->count; i++) {
        struct call call = call_of_row(&table->rules[i]);
        if (is_tried(call.number) && is_refused(&call))
            fail_msg("%s was refused", table->rules[i].name);
    }
}

/* The call with one bit of one checked argument changed. */
static void
assert_bit_matters(const struct call_rule *row, const struct call_check *check, unsigned bit)
{
    struct call call = call_of_row(row);

    call.arguments[check->argument] ^= UINT64_C(1) << bit;
    if (!table_allows(&call) && !is_refused(&call))
        fail_msg("%s with argument %u = 0x%llx was allowed", row->name, check->argument,
                 (unsigned long long)call.arguments[check->argument]);
}

static void
an_argument_that_breaks_a_check_kills(void **state)
{
    (void)state;
    for (size_t i = 0; i < *table->count; i++) {
        const struct call_rule *row = &table->rules[i];
        for (int n = 0; n < CALL_CHECKS_MAX; n++) {
            const struct call_check *check = &row->checks[n];
            uint64_t bits = check->kind == CALL_CHECK_MASKED ? check->mask : UINT64_C(0x80000000f);
            for (unsigned bit = 0; check->kind != CALL_CHECK_NONE && bit < 64; bit++)
                if (bits >> bit & 1)
                    assert_bit_matters(row, check, bit);
        }
    }
}

static bool
has_row(long number)
{
    for (size_t i = 0; i < *table->count; i++)
        if (table->rules[i].number == number)
            return true;
    return false;
}

static void
every_call_without_a_row_kills(void **state)
{
    (void)state;
    for (long number = 0; number < CALL_MAX; number++) {
        struct call call = {.number = number};
        if (number >= PROBE_FIRST && number <= PROBE_LAST)
            continue;
        if (!has_row(number) && !is_refused(&call))
            fail_msg("call %ld was allowed", number);
    }
}

static void
calls_of_the_x32_interface_kill(void **state)
{
    struct call call = {.number = table->rules[0].number | X32_BIT};

    (void)state;
    assert_true(is_refused(&call));
}

/* exit(7) by the 32-bit interface. Where the kernel has none, the instruction itself faults. */
static void
calls_of_the_32_bit_interface_kill(void **state)
{
    struct err err = ERR_INIT;
    int status;

    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (table->install(&err) == 0)
            __asm__ volatile("int $0x80" : : "a"(1), "b"(7));
        _exit(7);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void
every_row_has_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < *table->count; i++)
        assert_true(strlen(table->rules[i].reason) > 3);
}

static int
build(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    return filter_build(&err);
}

/* Each test once for each table. */
static int
choose_table(void **state)
{
    table = *state;
    return 0;
}

#define FOR_BOTH(test)                                                                             \
    cmocka_unit_test_prestate_setup_teardown(test, choose_table, NULL, (void *)&tables[0]),        \
        cmocka_unit_test_prestate_setup_teardown(test, choose_table, NULL, (void *)&tables[1])

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FOR_BOTH(what_a_row_allows_is_not_killed),
        FOR_BOTH(an_argument_that_breaks_a_check_kills),
        FOR_BOTH(every_call_without_a_row_kills),
        FOR_BOTH(calls_of_the_x32_interface_kill),
        FOR_BOTH(calls_of_the_32_bit_interface_kill),
        FOR_BOTH(every_row_has_a_reason),
    };

    return cmocka_run_group_tests(tests, build, NULL);
}
