/* The filters of the daemons: for each program every call that its table has not is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/daemon_filter_internal.h"

/* Beyond the last call of any kernel that this was tried on. */
#define CALL_MAX    600
/* uretprobe and uprobe: the kernel lets its own trampolines past every filter. */
#define PROBE_FIRST 335
#define PROBE_LAST  336

static const enum daemon_program programs[] = {DAEMON_API, DAEMON_WORKER, DAEMON_RUNTIME};
#define PROGRAM_COUNT (sizeof(programs) / sizeof(programs[0]))

/* Where a child leaves what it saw. */
static struct {
    int errors[CALL_MAX]; /* errno of each call that it made; -1: none came back */
    bool holds;
    int dumpable, no_new_privs;
} * seen;

static bool
has_row(enum daemon_program program, long number)
{
    for (size_t i = 0; i < daemon_call_count; i++)
        if (daemon_calls[i].rule.number == number && daemon_call_applies(&daemon_calls[i], program))
            return true;
    return false;
}

/* Tries every call that has no row, without valid arguments. */
static void
try_calls(enum daemon_program program)
{
    struct err err = ERR_INIT;

    if (daemon_lock_down(program, &err) < 0)
        _exit(99);
    seen->holds = daemon_filter_holds();
    if (!seen->holds) /* then nothing below is to be tried */
        _exit(98);
    seen->dumpable = prctl(PR_GET_DUMPABLE);
    seen->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    for (long number = 0; number < CALL_MAX; number++) {
        if (has_row(program, number) || (number >= PROBE_FIRST && number <= PROBE_LAST))
            continue;
        errno = 0;
        seen->errors[number] = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) < 0 ? errno : 0;
    }
    _exit(0);
}

static void
run_as(enum daemon_program program)
{
    int status;

    memset(seen, 0xff, sizeof(*seen));
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        try_calls(program);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void
every_call_without_a_row_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < PROGRAM_COUNT; i++) {
        run_as(programs[i]);
        for (int number = 0; number < CALL_MAX; number++)
            if (seen->errors[number] != -1 && seen->errors[number] != ENOSYS)
                fail_msg("program %d: call %d gave errno %d", (int)programs[i], number,
                         seen->errors[number]);
    }
}

static void
the_filter_tells_that_it_holds(void **state)
{
    (void)state;
    assert_false(daemon_filter_holds());
    run_as(DAEMON_API);
    assert_true(seen->holds);
    assert_int_equal(seen->no_new_privs, 1);
}

#ifndef __SANITIZE_ADDRESS__
static void
daemons_are_hidden_and_leave_no_core(void **state)
{
    (void)state;
    run_as(DAEMON_API);
    assert_int_equal(seen->dumpable, 0);
    run_as(DAEMON_WORKER);
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

static void
the_api_starts_nothing_and_a_runtime_mounts_nothing(void **state)
{
    static const long starts[] = {SYS_execve, SYS_execveat, SYS_fork, SYS_vfork,
                                  SYS_clone,  SYS_clone3,   SYS_kill, SYS_pidfd_send_signal};
    static const long mounts[] = {SYS_mount,     SYS_umount2,   SYS_pivot_root, SYS_unshare,
                                  SYS_setresuid, SYS_setgroups, SYS_capset,     SYS_sethostname};

    (void)state;
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        assert_false(has_row(DAEMON_API, starts[i]));
    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        assert_false(has_row(DAEMON_API, mounts[i]));
        assert_false(has_row(DAEMON_RUNTIME, mounts[i]));
        assert_true(has_row(DAEMON_WORKER, mounts[i]));
    }
}
#endif

static void
every_call_has_one_row_and_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < daemon_call_count; i++) {
        assert_true(strlen(daemon_calls[i].rule.reason) > 3);
        for (size_t n = 0; n < i; n++)
            if (daemon_calls[n].rule.number == daemon_calls[i].rule.number)
                fail_msg("%s has two rows", daemon_calls[i].rule.name);
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
        cmocka_unit_test(the_filter_tells_that_it_holds),
#ifndef __SANITIZE_ADDRESS__
        cmocka_unit_test(daemons_are_hidden_and_leave_no_core),
        cmocka_unit_test(nobody_may_make_calls_that_concern_the_machine_or_other_processes),
        cmocka_unit_test(the_api_starts_nothing_and_a_runtime_mounts_nothing),
#endif
        cmocka_unit_test(every_call_has_one_row_and_a_reason),
        cmocka_unit_test(the_worker_may_call_what_zygotes_and_jobs_may),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
