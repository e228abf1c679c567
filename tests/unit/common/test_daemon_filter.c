/* The filters of the daemons: for each program what its rows allow, and that all else is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/daemon_filter_internal.h"

/* Beyond the last call of any kernel that this was tried on. */
#define CALL_MAX       600
#define ARGUMENT_COUNT 6
/* uretprobe and uprobe: the kernel lets its own trampolines past every filter. */
#define PROBE_FIRST    335
#define PROBE_LAST     336

static const unsigned programs[] = {DAEMON_API, DAEMON_WORKER, DAEMON_RUNTIME,
                                    DAEMON_WORKER | DAEMON_RUNTIME, DAEMON_API | DAEMON_SUPERVISOR};
#define PROGRAM_COUNT (sizeof(programs) / sizeof(programs[0]))

/* Where a child leaves what it saw. */
static struct {
    char fault[256]; /* the first one; "": none */
    bool holds;
    int dumpable;
} * seen;

struct call {
    long number;
    uint64_t arguments[ARGUMENT_COUNT];
};

/* For some arguments at least. */
static bool
has_row(unsigned program, long number)
{
    for (size_t i = 0; i < daemon_call_count; i++)
        if (daemon_calls[i].rule.number == number && daemon_call_applies(&daemon_calls[i], program))
            return true;
    return false;
}

static bool
checks_hold(const struct call_rule *rule, const struct call *call)
{
    for (size_t n = 0; n < CALL_CHECKS_MAX; n++) {
        const struct call_check *check = &rule->checks[n];
        uint64_t argument = call->arguments[check->argument];
        if (check->kind == CALL_CHECK_NONE)
            return true;
        if (check->kind == CALL_CHECK_MASKED ? (argument & check->mask) != check->value
                                             : argument != check->value)
            return false;
    }
    return true;
}

/* What the table says, independently of libseccomp. */
static bool
table_allows(unsigned program, const struct call *call)
{
    for (size_t i = 0; i < daemon_call_count; i++)
        if (daemon_calls[i].rule.number == call->number &&
            daemon_call_applies(&daemon_calls[i], program) &&
            checks_hold(&daemon_calls[i].rule, call))
            return true;
    return false;
}

/* Nothing that it says is valid, so that nothing happens. */
static struct call
invalid_call(long number)
{
    struct call call = {.number = number};

    for (int n = 0; n < ARGUMENT_COUNT; n++)
        call.arguments[n] = UINT64_MAX;
    if (number == SYS_kill) /* -1 is everybody */
        call.arguments[0] = INT32_MAX;
    return call;
}

static struct call
call_of_row(const struct call_rule *row)
{
    struct call call = invalid_call(row->number);

    for (int n = 0; n < CALL_CHECKS_MAX && row->checks[n].kind != CALL_CHECK_NONE; n++)
        call.arguments[row->checks[n].argument] = row->checks[n].value;
    return call;
}

static int
errno_of(const struct call *call)
{
    const uint64_t *a = call->arguments;

    errno = 0;
    return syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]) < 0 ? errno : 0;
}

static void
note_fault(const char *what, const struct call *call, unsigned argument)
{
    (void)snprintf(seen->fault, sizeof(seen->fault), "call %ld, argument %u = 0x%llx: %s",
                   call->number, argument, (unsigned long long)call->arguments[argument], what);
}

/* ---- in a child ---- */

static void
try_calls_without_a_row(unsigned program)
{
    for (long number = 0; number < CALL_MAX; number++) {
        struct call call = invalid_call(number);
        if (table_allows(program, &call) || (number >= PROBE_FIRST && number <= PROBE_LAST))
            continue;
        if (errno_of(&call) != ENOSYS)
            note_fault("not refused", &call, 0);
    }
}

/* Ends, waits or becomes two whatever it is told; or says ENOSYS itself of what it does not know.
 */
static bool
is_tried(long number)
{
    static const long not [] = {SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_pause,
                                SYS_fork, SYS_vfork,      SYS_clone,        SYS_futex};

    for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++)
        if (number == not [i])
            return false;
    return true;
}

static void
try_rows(unsigned program)
{
    for (size_t i = 0; i < daemon_call_count; i++) {
        struct call call = call_of_row(&daemon_calls[i].rule);
        if (daemon_call_applies(&daemon_calls[i], program) && is_tried(call.number) &&
            errno_of(&call) == ENOSYS)
            note_fault("refused", &call, daemon_calls[i].rule.checks[0].argument);
    }
}

/* Each row with one bit of one checked argument changed. */
static void
try_bits(unsigned program)
{
    for (size_t i = 0; i < daemon_call_count; i++) {
        const struct call_check *check = &daemon_calls[i].rule.checks[0];
        for (unsigned bit = 0; check->kind != CALL_CHECK_NONE && bit < 64; bit++) {
            struct call call = call_of_row(&daemon_calls[i].rule);
            call.arguments[check->argument] ^= UINT64_C(1) << bit;
            if (!table_allows(program, &call) && errno_of(&call) != ENOSYS)
                note_fault("not refused", &call, check->argument);
        }
    }
}

static void
lock_down(unsigned program)
{
    const struct rlimit no_core = {0, 0};
    struct err err = ERR_INIT;

    (void)setrlimit(RLIMIT_CORE, &no_core);
    if (daemon_lock_down(program, &err) < 0)
        _exit(99);
    seen->holds = daemon_filter_holds();
    if (!seen->holds) /* then nothing below is to be tried */
        _exit(98);
    seen->dumpable = prctl(PR_GET_DUMPABLE);
}

static void
run_as(unsigned program, void (*try)(unsigned program))
{
    int status;

    memset(seen, 0, sizeof(*seen));
    pid_t pid = fork();
    if (pid == 0) {
        lock_down(program);
        if (try)
            try(program);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("programs %u: ended with status 0x%x", program, (unsigned)status);
    if (*seen->fault)
        fail_msg("programs %u: %s", program, seen->fault);
}

/* ---- tests ---- */

static void
every_call_without_a_row_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < PROGRAM_COUNT; i++)
        run_as(programs[i], try_calls_without_a_row);
}

static void
what_a_row_allows_is_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < PROGRAM_COUNT; i++)
        run_as(programs[i], try_rows);
}

static void
every_bit_of_a_checked_argument_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < PROGRAM_COUNT; i++)
        run_as(programs[i], try_bits);
}

static void
rows_check_one_argument(void **state)
{
    (void)state;
    for (size_t i = 0; i < daemon_call_count; i++)
        assert_int_equal(daemon_calls[i].rule.checks[1].kind, CALL_CHECK_NONE);
}

static void
the_filter_tells_that_it_holds(void **state)
{
    (void)state;
    assert_false(daemon_filter_holds());
    run_as(DAEMON_WORKER, NULL);
    assert_true(seen->holds);
}

#ifndef __SANITIZE_ADDRESS__
static void
daemons_are_hidden_and_leave_no_core(void **state)
{
    (void)state;
    run_as(DAEMON_API, NULL);
    assert_int_equal(seen->dumpable, 0);
    run_as(DAEMON_WORKER, NULL);
    assert_int_equal(seen->dumpable, 0);
    run_as(DAEMON_WORKER | DAEMON_RUNTIME, NULL);
    assert_int_equal(seen->dumpable, 0);
}

static void
nobody_may_make_calls_that_concern_the_machine_or_other_processes(void **state)
{
    static const long forbidden[] = {SYS_ptrace,
                                     SYS_process_vm_readv,
                                     SYS_process_vm_writev,
                                     SYS_kcmp,
                                     SYS_bpf,
                                     SYS_keyctl,
                                     SYS_add_key,
                                     SYS_request_key,
                                     SYS_init_module,
                                     SYS_finit_module,
                                     SYS_delete_module,
                                     SYS_kexec_load,
                                     SYS_kexec_file_load,
                                     SYS_userfaultfd,
                                     SYS_io_uring_setup,
                                     SYS_io_uring_enter,
                                     SYS_io_uring_register,
                                     SYS_perf_event_open,
                                     SYS_open_by_handle_at,
                                     SYS_name_to_handle_at,
                                     SYS_setns,
                                     SYS_clone3,
                                     SYS_splice,
                                     SYS_vmsplice,
                                     SYS_move_mount,
                                     SYS_open_tree,
                                     SYS_fsopen,
                                     SYS_mount_setattr,
                                     SYS_pidfd_getfd,
                                     SYS_reboot,
                                     SYS_swapon,
                                     SYS_settimeofday,
                                     SYS_clock_settime,
                                     SYS_iopl,
                                     SYS_ioperm,
                                     SYS_modify_ldt,
                                     SYS_personality,
                                     SYS_syslog,
                                     SYS_acct,
                                     SYS_quotactl,
                                     SYS_mknod,
                                     SYS_mknodat,
                                     SYS_chroot,
                                     SYS_shmget,
                                     SYS_msgget,
                                     SYS_semget,
                                     SYS_mq_open};

    (void)state;
    for (size_t i = 0; i < PROGRAM_COUNT; i++)
        for (size_t n = 0; n < sizeof(forbidden) / sizeof(forbidden[0]); n++)
            assert_false(has_row(programs[i], forbidden[n]));
}

static bool
may_make(unsigned program, long number, unsigned argument, uint64_t value)
{
    struct call call = invalid_call(number);

    call.arguments[argument] = value;
    return table_allows(program, &call);
}

static void
the_api_starts_nothing_signals_nobody_and_writes_no_file(void **state)
{
    static const long forbidden[] = {SYS_execve, SYS_execveat, SYS_fork,
                                     SYS_vfork,  SYS_clone,    SYS_kill,
                                     SYS_tkill,  SYS_open,     SYS_pidfd_send_signal,
                                     SYS_unlink, SYS_rename,   SYS_rt_sigqueueinfo};

    (void)state;
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
        assert_false(has_row(DAEMON_API, forbidden[i]));
    assert_true(may_make(DAEMON_API, SYS_openat, 2, O_RDONLY | O_CLOEXEC));
    assert_false(may_make(DAEMON_API, SYS_openat, 2, O_RDWR));
    assert_false(may_make(DAEMON_API, SYS_openat, 2, O_RDONLY | O_CREAT));
    assert_false(may_make(DAEMON_API, SYS_fcntl, 1, F_SETOWN));
    assert_false(may_make(DAEMON_API, SYS_tgkill, 2, SIGKILL));
}

static void
the_parent_of_api_processes_forks_and_starts_no_program(void **state)
{
    const unsigned parent = DAEMON_API | DAEMON_SUPERVISOR;
    static const long forbidden[] = {SYS_execve, SYS_execveat, SYS_fork,    SYS_vfork,
                                     SYS_tkill,  SYS_open,     SYS_unshare, SYS_pidfd_send_signal,
                                     SYS_unlink, SYS_rename,   SYS_setuid,  SYS_rt_sigqueueinfo};

    (void)state;
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
        assert_false(has_row(parent, forbidden[i]));
    assert_true(
        may_make(parent, SYS_clone, 0, CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD));
    assert_false(may_make(parent, SYS_clone, 0, CLONE_NEWUSER | SIGCHLD));
    assert_false(may_make(parent, SYS_clone, 0, CLONE_VM | CLONE_VFORK | SIGCHLD));
    assert_true(may_make(parent, SYS_kill, 1, SIGTERM));
    assert_false(may_make(parent, SYS_kill, 1, SIGSTOP));
    assert_false(may_make(parent, SYS_openat, 2, O_RDWR));
    assert_false(may_make(parent, SYS_mmap, 2, PROT_READ | PROT_EXEC));
}

static void
a_runtime_mounts_nothing_and_has_no_sockets(void **state)
{
    static const long forbidden[] = {SYS_mount,     SYS_umount2,   SYS_pivot_root, SYS_unshare,
                                     SYS_setresuid, SYS_setgroups, SYS_capset,     SYS_sethostname,
                                     SYS_socket,    SYS_connect,   SYS_bind,       SYS_listen};

    (void)state;
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
        assert_false(has_row(DAEMON_RUNTIME, forbidden[i]));
    assert_false(may_make(DAEMON_RUNTIME, SYS_clone, 0, CLONE_NEWUSER | SIGCHLD));
    assert_true(may_make(DAEMON_RUNTIME, SYS_clone, 0, CLONE_VM | CLONE_VFORK | SIGCHLD));
}

static void
nothing_becomes_executable_where_no_runtime_is_started(void **state)
{
    static const unsigned without[] = {DAEMON_API, DAEMON_WORKER};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_true(may_make(without[i], SYS_mmap, 2, PROT_READ | PROT_WRITE));
        assert_false(may_make(without[i], SYS_mmap, 2, PROT_READ | PROT_EXEC));
        assert_false(may_make(without[i], SYS_mprotect, 2, PROT_READ | PROT_EXEC));
        assert_false(has_row(without[i], SYS_pkey_mprotect));
        assert_false(has_row(without[i], SYS_execve));
    }
}

static void
sockets_are_those_of_three_families(void **state)
{
    static const unsigned with[] = {DAEMON_API, DAEMON_WORKER, DAEMON_WORKER | DAEMON_RUNTIME};
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6};

    (void)state;
    for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++)
        for (int family = 0; family < AF_MAX; family++)
            assert_int_equal(may_make(with[i], SYS_socket, 0, (uint64_t)family),
                             family == families[0] || family == families[1] ||
                                 family == families[2]);
}
#endif

/* A check beside a row without would be in vain. */
static void
no_row_makes_another_superfluous_and_each_has_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < daemon_call_count; i++) {
        const struct call_rule *row = &daemon_calls[i].rule;
        const struct call call = call_of_row(row);
        assert_true(strlen(row->reason) > 3);
        for (size_t n = 0; n < daemon_call_count; n++)
            if (n != i && daemon_calls[n].rule.number == row->number &&
                (daemon_calls[n].programs & daemon_calls[i].programs) != 0 &&
                checks_hold(&daemon_calls[n].rule, &call))
                fail_msg("%s has two rows for this", row->name);
    }
}

/* A filter is inherited: without a row here the tables of the sandbox would be in vain. */
static void
the_worker_may_call_what_zygotes_and_jobs_may(void **state)
{
    static const long inherited[] = {
#define ALLOWED_CALL(call, checks, reason) SYS_##call,
#include "worker/sandbox/allowed_calls.def"
#include "worker/sandbox/zygote_calls.def"
#undef ALLOWED_CALL
    };

    (void)state;
    for (size_t i = 0; i < sizeof(inherited) / sizeof(inherited[0]); i++)
        if (!has_row(DAEMON_WORKER, inherited[i]))
            fail_msg("the worker's table has no call %ld, which the sandbox's have", inherited[i]);
}

static int
setup(void **state)
{
    (void)state;
    seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return seen != MAP_FAILED ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_without_a_row_is_refused),
        cmocka_unit_test(what_a_row_allows_is_made),
        cmocka_unit_test(every_bit_of_a_checked_argument_counts),
        cmocka_unit_test(rows_check_one_argument),
        cmocka_unit_test(the_filter_tells_that_it_holds),
#ifndef __SANITIZE_ADDRESS__
        cmocka_unit_test(daemons_are_hidden_and_leave_no_core),
        cmocka_unit_test(nobody_may_make_calls_that_concern_the_machine_or_other_processes),
        cmocka_unit_test(the_api_starts_nothing_signals_nobody_and_writes_no_file),
        cmocka_unit_test(the_parent_of_api_processes_forks_and_starts_no_program),
        cmocka_unit_test(a_runtime_mounts_nothing_and_has_no_sockets),
        cmocka_unit_test(nothing_becomes_executable_where_no_runtime_is_started),
        cmocka_unit_test(sockets_are_those_of_three_families),
#endif
        cmocka_unit_test(no_row_makes_another_superfluous_and_each_has_a_reason),
        cmocka_unit_test(the_worker_may_call_what_zygotes_and_jobs_may),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
