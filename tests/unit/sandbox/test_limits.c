/* Kernel limits: every row is in force in a child, and does what it is for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "worker/sandbox/limits.h"

#define UNPRIVILEGED_UID 65534
#define PASSED           77

static const struct job_rlimits job_limits = {.cpu_limit_us = 1500000,
                                              .memory_limit_bytes = 64 << 20,
                                              .files_bytes = 5 << 20,
                                              .mapped_bytes = UINT64_C(9) << 30};
#define MOST_DATA (job_limits.memory_limit_bytes + job_limits.files_bytes + SANDBOX_HOST_DATA_BYTES)

/* Runs body in a child under the limits of that stage, without privileges. */
static int
in_child(enum rlimit_stage stage, void (*body)(void))
{
    struct err err = ERR_INIT;
    int status;

    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit no_core = {0, 0};
        if (stage != RLIMIT_STAGE_ZYGOTE) /* which has a row for it */
            setrlimit(RLIMIT_CORE, &no_core);
        if (geteuid() == 0 && (setgroups(0, NULL) < 0 ||
                               setresuid(UNPRIVILEGED_UID, UNPRIVILEGED_UID, UNPRIVILEGED_UID) < 0))
            _exit(1);
        if (limits_apply(stage, &job_limits, &err) == 0)
            body();
        _exit(2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void
assert_passes(enum rlimit_stage stage, void (*body)(void))
{
    int status = in_child(stage, body);

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), PASSED);
}

static enum rlimit_stage stage_checked;

/* Every row of the stage: neither soft nor hard limit above the value. */
static void
check_rows(void)
{
    const struct job_rlimits *job = &job_limits;
    const struct {
        __rlimit_resource_t resource;
        enum rlimit_stage stage;
        uint64_t value;
    } rows[] = {
#define SANDBOX_RLIMIT(resource, stage, value, reason)                                             \
    {RLIMIT_##resource, RLIMIT_STAGE_##stage, value},
#include "worker/sandbox/rlimits.def"
#undef SANDBOX_RLIMIT
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rlimit limit;
        if (rows[i].stage != stage_checked)
            continue;
        if (getrlimit(rows[i].resource, &limit) < 0 || limit.rlim_max > rows[i].value ||
            limit.rlim_cur != limit.rlim_max)
            _exit(3);
    }
    _exit(PASSED);
}

static void
every_row_is_in_force_after_its_stage(void **state)
{
    static const enum rlimit_stage stages[] = {RLIMIT_STAGE_ZYGOTE, RLIMIT_STAGE_WARM,
                                               RLIMIT_STAGE_JOB};

    (void)state;
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        stage_checked = stages[i];
        assert_passes(stages[i], check_rows);
    }
}

static void
lower_and_apply_again(void)
{
    struct rlimit lower = {1, 1};
    struct err err = ERR_INIT;

    if (setrlimit(RLIMIT_CPU, &lower) < 0 ||
        limits_apply(RLIMIT_STAGE_JOB, &job_limits, &err) < 0 ||
        getrlimit(RLIMIT_CPU, &lower) < 0 || lower.rlim_max != 1)
        _exit(3);
    _exit(PASSED);
}

static void
a_limit_that_is_lower_already_stays(void **state)
{
    (void)state;
    assert_passes(RLIMIT_STAGE_JOB, lower_and_apply_again);
}

static void
try_to_fork(void)
{
    pid_t pid = fork();

    _exit(pid < 0 && errno == EAGAIN ? PASSED : 3);
}

static void
no_process_can_be_made(void **state)
{
    (void)state;
    assert_passes(RLIMIT_STAGE_WARM, try_to_fork);
}

static void
queue_a_signal(void)
{
    _exit(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1}) < 0 && errno == EAGAIN
              ? PASSED
              : 3);
}

static void
make_a_timer(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    timer_t timer;

    _exit(timer_create(CLOCK_MONOTONIC, &event, &timer) < 0 && errno == EAGAIN ? PASSED : 3);
}

static void
no_signal_can_be_queued(void **state)
{
    (void)state;
    assert_passes(RLIMIT_STAGE_WARM, queue_a_signal);
    assert_passes(RLIMIT_STAGE_WARM, make_a_timer);
}

static void
open_a_queue(void)
{
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 16};
    long fd = syscall(SYS_mq_open, "retort-test", O_CREAT | O_RDWR, 0600, &attributes);
    bool refused = fd < 0 && (errno == EMFILE || errno == ENOSYS);

    if (fd >= 0)
        (void)syscall(SYS_mq_unlink, "retort-test");
    _exit(refused ? PASSED : 3);
}

static void
no_message_queue_can_be_made(void **state)
{
    (void)state;
    assert_passes(RLIMIT_STAGE_ZYGOTE, open_a_queue);
}

static void
raise_priority(void)
{
    const struct sched_param param = {.sched_priority = 1};

    if (setpriority(PRIO_PROCESS, 0, -1) == 0 || sched_setscheduler(0, SCHED_FIFO, &param) == 0)
        _exit(3);
    _exit(PASSED);
}

static void
no_priority_can_be_raised(void **state)
{
    (void)state;
    assert_passes(RLIMIT_STAGE_ZYGOTE, raise_priority);
}

/* As much as no core at all is written: the kernel says so in the status. */
static void
dump_core(void)
{
    struct rlimit most;

    (void)signal(SIGABRT, SIG_DFL);
    (void)prctl(PR_SET_DUMPABLE, 1);
    if (getrlimit(RLIMIT_CORE, &most) < 0)
        _exit(3);
    most.rlim_cur = most.rlim_max;
    (void)setrlimit(RLIMIT_CORE, &most);
    if (chdir("/tmp") == 0)
        abort();
}

static void
no_core_is_dumped(void **state)
{
    (void)state;
    int status = in_child(RLIMIT_STAGE_ZYGOTE, dump_core);
    assert_true(WIFSIGNALED(status));
    assert_false(WCOREDUMP(status));
}

static void
lock_memory(void)
{
    static char page[8192];

    _exit(syscall(SYS_mlock, page, sizeof(page)) < 0 && (errno == EPERM || errno == ENOMEM) ? PASSED
                                                                                            : 3);
}

static void
no_memory_can_be_locked(void **state)
{
    (void)state;
    assert_passes(RLIMIT_STAGE_ZYGOTE, lock_memory);
}

static void
grow_a_file(void)
{
    /* A memfd needs a descriptor, and 0 is the only one that can be had. */
    close(0);
    (void)!ftruncate(memfd_create("file", 0), 1);
    _exit(3);
}

static void
no_file_can_grow(void **state)
{
    int status;

    (void)state;
    status = in_child(RLIMIT_STAGE_WARM, grow_a_file);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGXFSZ);
}

#ifndef SANDBOX_SANITIZED
static void
try_to_open(void)
{
    int fd = open("/dev/null", O_RDONLY);

    _exit(fd < 0 && errno == EMFILE ? PASSED : 3);
}

static void
no_descriptor_can_be_opened(void **state)
{
    (void)state;
    assert_passes(RLIMIT_STAGE_WARM, try_to_open);
}

static void
allocate_too_much(void)
{
    void *mapped = mmap(NULL, MOST_DATA, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    _exit(mapped == MAP_FAILED && errno == ENOMEM ? PASSED : 3);
}

static void
make_reserved_memory_writable(void)
{
    size_t bytes = MOST_DATA;
    void *reserved =
        mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (reserved == MAP_FAILED)
        _exit(4);
    _exit(mprotect(reserved, bytes, PROT_READ | PROT_WRITE) < 0 && errno == ENOMEM ? PASSED : 3);
}

/* In one call: the kernel looks at RLIMIT_DATA only if RLIMIT_AS has room for as much again. */
static void
make_the_whole_reservation_writable(void)
{
    void *reserved = mmap(NULL, job_limits.mapped_bytes, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (reserved == MAP_FAILED)
        _exit(4);
    int result = mprotect(reserved, job_limits.mapped_bytes, PROT_READ | PROT_WRITE);
    _exit(result < 0 && errno == ENOMEM ? PASSED : 3);
}

static void
writable_memory_is_bounded(void **state)
{
    (void)state;
    assert_passes(RLIMIT_STAGE_JOB, allocate_too_much);
    assert_passes(RLIMIT_STAGE_JOB, make_reserved_memory_writable);
    assert_passes(RLIMIT_STAGE_JOB, make_the_whole_reservation_writable);
}
#endif

static void
burn_cpu(void)
{
    struct err err = ERR_INIT;
    volatile unsigned turns = 0;

    if (limits_make_cpu_timer(&err) < 0 || limits_start_cpu_timer(30000, &err) < 0)
        _exit(3);
    for (;;)
        turns++;
}

static long
cpu_us(const struct rusage *usage)
{
    return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 + usage->ru_utime.tv_usec +
           usage->ru_stime.tv_usec;
}

static void
the_cpu_timer_kills_by_sigprof(void **state)
{
    struct rusage before, after;

    (void)state;
    getrusage(RUSAGE_CHILDREN, &before);
    int status = in_child(RLIMIT_STAGE_JOB, burn_cpu);
    getrusage(RUSAGE_CHILDREN, &after);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGPROF);
    /* Not a microsecond early, by the account that is reported. */
    assert_in_range(cpu_us(&after) - cpu_us(&before), 30000, 500000);
}

static void
be_nice(void)
{
    limits_give_way();
    if (getpriority(PRIO_PROCESS, 0) < SANDBOX_NICE)
        _exit(3);
    _exit(setpriority(PRIO_PROCESS, 0, 0) < 0 ? PASSED : 4);
}

static void
a_job_gives_way_and_cannot_take_it_back(void **state)
{
    (void)state;
    assert_passes(RLIMIT_STAGE_WARM, be_nice);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_in_force_after_its_stage),
        cmocka_unit_test(a_limit_that_is_lower_already_stays),
        cmocka_unit_test(no_process_can_be_made),
        cmocka_unit_test(no_signal_can_be_queued),
        cmocka_unit_test(no_message_queue_can_be_made),
        cmocka_unit_test(no_priority_can_be_raised),
        cmocka_unit_test(no_core_is_dumped),
        cmocka_unit_test(no_memory_can_be_locked),
        cmocka_unit_test(no_file_can_grow),
#ifndef SANDBOX_SANITIZED
        cmocka_unit_test(no_descriptor_can_be_opened),
        cmocka_unit_test(writable_memory_is_bounded),
#endif
        cmocka_unit_test(the_cpu_timer_kills_by_sigprof),
        cmocka_unit_test(a_job_gives_way_and_cannot_take_it_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
