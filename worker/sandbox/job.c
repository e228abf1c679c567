/*
 * A job process: a fork of the booted zygote that runs one program and ends.
 *
 * Before the go byte, with nobody waiting for it: it asks to die with its parent, maps the memory
 * that it shares with the worker, closes all descriptors but its socket, touches the pages that
 * it is going to need, takes its limits and its system call filter. Then it blocks in read().
 *
 * After the go byte, with a client waiting: the limits that depend on the job, the CPU timer, the
 * job's files and arguments, and on into the guest.
 *
 * How it ends, and what the worker learns from the kernel:
 *
 *     the guest exits                  _exit(code)           note EXITED
 *     wasm trap                        SIGILL                note TRAP
 *     a fault outside the guest        SIGSEGV, SIGBUS       no note
 *     CPU timer, or RLIMIT_CPU         SIGPROF, SIGKILL      no note
 *     a call that is not allowed       SIGSYS                denied_call, if it has no say
 *     wall clock, cancelled            SIGKILL by the worker no note
 *     the socket closes before a job   _exit(0)              no note
 *     a failure of ours                _exit(125)            note HOST_FAILURE
 */
#include "worker/sandbox/job.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/engine/engine.h"
#include "worker/engine/fiber.h"
#include "worker/engine/peak.h"
#include "worker/job_memory.h"
#include "worker/sandbox/artifacts.h"
#include "worker/sandbox/denied_call.h"
#include "worker/sandbox/filter.h"
#include "worker/sandbox/limits.h"
#include "worker/sandbox/output.h"
#include "worker/sandbox/pages.h"
#include "worker/sandbox/role.h"
#include "worker/wasi/wasi.h"
#include "worker/zygote_protocol.h"

#define EXIT_HOST_FAILURE 125
/* Linear memory's reservation: a 32-bit address plus a 32-bit offset, and a page. */
#define RESERVATION_BYTES ((UINT64_C(8) << 30) + ENGINE_PAGE_BYTES)

static struct job_memory_header *shared;
static struct page_list *learned; /* NULL unless this is the rehearsal */
static struct page_sources page_sources;

/* ---- the end ---- */

static void
leave_note(enum job_note note)
{
    atomic_store_explicit(&shared->note, (uint32_t)note, memory_order_release);
}

__attribute__((noreturn)) void
job_exit(uint32_t code)
{
    atomic_store_explicit(&shared->exit_code, code, memory_order_relaxed);
    leave_note(JOB_NOTE_EXITED);
    artifacts_collect(shared, limits_stop_cpu_timer);
    if (learned != NULL)
        pages_learn(&page_sources, learned);
    _exit((int)(code & 0xff));
}

/* Every failure of our own ends here. Without shared memory there is nobody to tell. */
static __attribute__((noreturn)) void
job_fail(const struct err *err)
{
    if (shared != NULL) {
        snprintf(shared->text, sizeof(shared->text), "%.*s", (int)sizeof(shared->text) - 1,
                 err->text);
        leave_note(JOB_NOTE_HOST_FAILURE);
    }
    _exit(EXIT_HOST_FAILURE);
}

/* On the signal stack perhaps. A blocked SIGILL kills, whatever handler there is. */
static __attribute__((noreturn)) void
job_trap(enum engine_trap trap)
{
    sigset_t illegal;

    atomic_store_explicit(&shared->trap, (uint32_t)trap, memory_order_relaxed);
    leave_note(JOB_NOTE_TRAP);
    artifacts_collect(shared, limits_stop_cpu_timer);
    sigemptyset(&illegal);
    sigaddset(&illegal, SIGILL);
    sigprocmask(SIG_BLOCK, &illegal, NULL);
    __builtin_trap();
}

static void
job_memory_refused(void)
{
    atomic_store_explicit(&shared->memory_refused, 1, memory_order_relaxed);
}

static void
job_memory_fatal(void)
{
    atomic_store_explicit(&shared->memory_fatal, 1, memory_order_relaxed);
}

static const struct sandbox_role job_role = {
    .write = output_write,
    .exit = job_exit,
    .trap = job_trap,
    .memory_refused = job_memory_refused,
    .memory_fatal = job_memory_fatal,
};

/* ---- before the go byte ---- */

static int
die_with_parent(pid_t zygote_pid, struct err *err)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot ask to die with the zygote");
    /* It may have died before the request was in force. */
    if (getppid() != zygote_pid)
        _exit(0);
    return 0;
}

static int
map_shared_memory(int fd, struct err *err)
{
    struct stat status;

    if (fstat(fd, &status) < 0 || status.st_size < JOB_MEMORY_HEADER_BYTES)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "the job's memory has no size");
    void *mapped = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot map the job's memory");
    const struct job_memory_header *header = mapped;
    if (header->version != JOB_MEMORY_VERSION || header->total_bytes != (uint64_t)status.st_size)
        return err_set(err, ERR_SANDBOX_ERROR, 0, "the job's memory is not version %d",
                       JOB_MEMORY_VERSION);
    shared = mapped;
    denied_call_note_in(&shared->denied_call);
    return 0;
}

/* The socket becomes the one descriptor that the filter knows; the worker's end sees our death. */
static int
keep_only_socket(int socket_fd, struct err *err)
{
    if (dup2(socket_fd, JOB_SOCKET_FD) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot move the job's socket");
    /* The rehearsal, which runs no program of a user's, reads of itself at its end. */
    if (learned != NULL) {
        pages_open_sources(&page_sources, ZYGOTE_PROC_FD);
        return 0;
    }
#ifdef SANDBOX_SANITIZED
    /* Standard error stays, for the reports. */
    if (close_range(3, ~0u, 0) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot close descriptors");
    close(STDOUT_FILENO);
    return 0;
#else
    if (close_range(JOB_SOCKET_FD + 1, ~0u, 0) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot close descriptors");
    return 0;
#endif
}

static int
prepare(const struct job_start *start, struct err *err)
{
    (void)prctl(PR_SET_NAME, "retort-job");
    learned = start->learned;
    if (die_with_parent(start->zygote_pid, err) < 0)
        return -1;
    if (map_shared_memory(start->memory_fd, err) < 0)
        return -1;
    if (keep_only_socket(start->socket_fd, err) < 0)
        return -1;
    if (limits_make_cpu_timer(err) < 0)
        return -1;
    if (engine_fibers_allow(err) < 0)
        return -1;
    output_touch(shared);
    if (start->pages != NULL)
        pages_bring_in(start->pages);
    /* No filter, no limits: what it still has to read, no job may. */
    if (learned != NULL)
        return 0;
    if (limits_apply(RLIMIT_STAGE_WARM, NULL, err) < 0)
        return -1;
    limits_give_way();
    /* Last: what comes before needs calls that it forbids. */
    return filter_install(err);
}

/* ---- from the go byte on ---- */

static void
await_go(void)
{
    char byte = 0;
    ssize_t got;

    do
        got = read(JOB_SOCKET_FD, &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1 || byte != JOB_GO_BYTE)
        _exit(0);
}

static int
take_job(bool replace_args, struct err *err)
{
    struct job_rlimits limits = {
        .cpu_limit_us = shared->cpu_limit_us,
        .memory_limit_bytes = shared->memory_limit_bytes,
    };

    output_begin(shared);
    /* Linear memory never shrinks: its size is its peak, whatever ends the job. */
    engine_memory_peak_bytes = &shared->linear_memory_peak_bytes;
    atomic_store_explicit(engine_memory_peak_bytes, engine_memory_bytes(), memory_order_relaxed);
    if (wasi_begin_job(shared, replace_args, err) < 0)
        return -1;
    wasi_limit_job(shared->work_limit_bytes, shared->work_limit_files);
    limits.files_bytes = wasi_writable_bytes();
    limits.mapped_bytes = RESERVATION_BYTES + engine_fibers_mapped_bytes() + wasi_mapped_bytes() +
                          shared->total_bytes;
    engine_set_memory_limit(limits.memory_limit_bytes);
    if (limits_apply(RLIMIT_STAGE_JOB, &limits, err) < 0)
        return -1;
    /* Last, so that the program is charged for nothing of ours. */
    return limits_start_cpu_timer(limits.cpu_limit_us, err);
}

void
job_begin(const struct job_start *start)
{
    struct err err = ERR_INIT;

    if (prepare(start, &err) < 0)
        job_fail(&err);
    sandbox_role = &job_role;
    await_go();
    if (take_job(start->replace_args, &err) < 0)
        job_fail(&err);
}
