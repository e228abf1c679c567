/*
 * The zygote: one process per image. It never sees a user's code.
 *
 * Order of its life: main.c locks it down, boot.c loads the module and lets the guest boot up to
 * the fork point; here it gives zero pages of linear memory back (each would cost every fork), says
 * READY, and serves:
 *
 *     control socket, FORK     fork; the child goes on in job.c and leaves this file for good;
 *                              the parent answers FORKED with the child's pidfd
 *     SIGCHLD, by signalfd     wait4() for all that have ended, one EXITED each
 *     control socket closed    SIGKILL to the children, exit
 *
 * Ends are reported before new forks are made: somebody waits for an end. A child's process id
 * is ours until wait4() returns it, so a kill by id cannot hit another process. When the worker
 * dies, PR_SET_PDEATHSIG and the closed socket end the zygote; when the zygote dies, the same
 * signal ends its children.
 *
 * The fork point is deep inside the guest (WASI_JOB_DEVICE is read), or, without a bootstrap,
 * before its _start. Either way zygote_serve() returns in job processes only.
 */
#include "worker/sandbox/zygote.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "worker/engine/engine.h"
#include "worker/sandbox/filter.h"
#include "worker/sandbox/job.h"
#include "worker/sandbox/lockdown.h"
#include "worker/sandbox/rehearsal.h"
#include "worker/zygote_protocol.h"

#define CHILDREN_MAX 4096

struct child {
    pid_t pid; /* 0: free */
    uint32_t serial;
};

static struct child children[CHILDREN_MAX];
static unsigned child_slots_used; /* every child lies below */
static struct zygote_start zygote;
static const struct page_list *pages; /* what the rehearsal taught, or NULL */

void
zygote_init(const struct zygote_start *start)
{
    zygote = *start;
}

/* ---- talking to the worker ---- */

static _Noreturn void
leave(void)
{
    for (unsigned i = 0; i < child_slots_used; i++) {
        int pidfd = children[i].pid != 0 ? pidfd_open(children[i].pid, 0) : -1;
        if (pidfd < 0)
            continue;
        (void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
        close(pidfd);
    }
    /* Reaped here, since in a container process 1 may be one that never does. */
    while (wait4(-1, NULL, 0, NULL) > 0 || errno == EINTR)
        ;
    _exit(0);
}

/* fd -1: none goes along. */
static void
send_event(const struct zygote_event *event, int fd)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {.iov_base = (void *)(uintptr_t)event, .iov_len = sizeof(*event)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    /* Only a worker that is gone refuses it. */
    if (sendmsg(ZYGOTE_CONTROL_FD, &message, MSG_NOSIGNAL) < 0)
        leave();
}

static void
send_failure(uint32_t serial, const struct err *err)
{
    struct zygote_event event = {
        .type = ZYGOTE_FAILED, .serial = serial, .sys_errno = err->sys_errno};

    snprintf(event.text, sizeof(event.text), "%.*s", (int)sizeof(event.text) - 1, err->text);
    send_event(&event, -1);
}

_Noreturn void
zygote_fail(const struct err *err)
{
    send_failure(0, err);
    leave();
}

/* ---- children ---- */

static struct child *
find_child(pid_t pid)
{
    for (unsigned i = 0; i < child_slots_used; i++)
        if (children[i].pid == pid)
            return &children[i];
    return NULL;
}

static struct child *
free_child_slot(void)
{
    struct child *slot = find_child(0);

    if (slot == NULL && child_slots_used < CHILDREN_MAX)
        slot = &children[child_slots_used++];
    return slot;
}

static uint64_t
microseconds(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static void
report_ended(void)
{
    struct rusage usage;
    int status;
    pid_t pid;

    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        struct child *child = find_child(pid);
        if (child == NULL)
            continue;
        struct zygote_event event = {
            .type = ZYGOTE_EXITED,
            .serial = child->serial,
            .pid = pid,
            .status = status,
            .cpu_us = microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime),
            .max_rss_kib = (uint64_t)usage.ru_maxrss,
            .minor_faults = (uint64_t)usage.ru_minflt,
        };
        *child = (struct child){.pid = 0};
        send_event(&event, -1);
    }
}

static void
answer_forked(const struct child *child)
{
    struct zygote_event event = {.type = ZYGOTE_FORKED, .serial = child->serial, .pid = child->pid};
    int pidfd = pidfd_open(child->pid, 0);

    /* Without one the worker gives it no job. */
    send_event(&event, pidfd);
    if (pidfd >= 0)
        close(pidfd);
}

/* Forks one job process. True in the child, when its job is there. */
static bool
fork_job(uint32_t serial, int socket_fd, int memory_fd)
{
    struct child *child = free_child_slot();
    struct err err = ERR_INIT;
    struct job_start start = {.socket_fd = socket_fd,
                              .memory_fd = memory_fd,
                              .zygote_pid = getpid(),
                              .replace_args = zygote.guest_starts_after_fork,
                              .pages = pages};
    pid_t pid = -1;

    if (child == NULL)
        errno = EAGAIN;
    else
        pid = fork();
    if (pid == 0) {
        job_begin(&start);
        return true;
    }
    int code = errno;
    close(socket_fd);
    close(memory_fd);
    if (pid < 0) {
        err_set(&err, ERR_SANDBOX_ERROR, code, "cannot fork a job process");
        send_failure(serial, &err);
        return false;
    }
    *child = (struct child){.pid = pid, .serial = serial};
    answer_forked(child);
    return false;
}

/* ---- requests ---- */

/* Two descriptors, or leaves: a worker that sends anything else is not one of ours. */
static void
take_descriptors(struct msghdr *message, int *fds)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);

    if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN(2 * sizeof(int)) || (message->msg_flags & MSG_CTRUNC))
        leave();
    memcpy(fds, CMSG_DATA(header), 2 * sizeof(int));
}

/* True in a job process. */
static bool
serve_request(void)
{
    char control[CMSG_SPACE(2 * sizeof(int))];
    struct zygote_request request = {.type = 0};
    struct iovec part = {.iov_base = &request, .iov_len = sizeof(request)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    int fds[2];

    ssize_t got = recvmsg(ZYGOTE_CONTROL_FD, &message, MSG_CMSG_CLOEXEC);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return false;
    if (got != (ssize_t)sizeof(request) || request.type != ZYGOTE_FORK)
        leave();
    take_descriptors(&message, fds);
    return fork_job(request.serial, fds[0], fds[1]);
}

static int
open_child_signal(struct err *err)
{
    sigset_t ends;

    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    int fd = sigprocmask(SIG_BLOCK, &ends, NULL) < 0
                 ? -1
                 : signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot watch job processes");
    return fd;
}

static void
serve(int child_signal_fd)
{
    struct pollfd watched[] = {{.fd = child_signal_fd, .events = POLLIN},
                               {.fd = ZYGOTE_CONTROL_FD, .events = POLLIN}};
    struct signalfd_siginfo ended;

    for (;;) {
        if (poll(watched, 2, -1) < 0)
            continue;
        if (watched[0].revents != 0) {
            /* One signal may stand for several ends; wait4() tells. */
            while (read(child_signal_fd, &ended, sizeof(ended)) > 0)
                ;
            report_ended();
        } else if (watched[1].revents != 0 && serve_request()) {
            return;
        }
    }
}

void
zygote_serve(void)
{
    struct err err = ERR_INIT;
    struct zygote_event ready = {
        .type = ZYGOTE_READY, .version = ZYGOTE_PROTOCOL_VERSION, .pid = getpid()};

    engine_release_zero_pages();
    engine_join_pages();
    if (zygote.rehearsal != NULL &&
        rehearsal_run(zygote.rehearsal, zygote.guest_starts_after_fork, &pages))
        return;
    close(ZYGOTE_PROC_FD);
    int child_signal_fd = open_child_signal(&err);
    /* The filter last: what it forbids is done by now. */
    if (child_signal_fd < 0 || lockdown_hide(&err) < 0 || filter_install_zygote(&err) < 0)
        zygote_fail(&err);
    ready.boot_us = clock_monotonic_us() - zygote.started_us;
    send_event(&ready, -1);
    serve(child_signal_fd);
}
