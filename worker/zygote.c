/*
 * The worker's side of one zygote.
 *
 *     IDLE ──timer──▶ BOOTING ──READY──▶ UP
 *      ▲                 │               │
 *      └──process gone── ENDING ◀────────┘   control socket closed, FAILED, a boot that takes too
 *                                            long, rubbish: SIGKILL, and wait for the process
 *
 * The process's end is seen by a pidfd in the event loop, so nothing waits for it and no SIGCHLD
 * is needed. What the zygote said before it died is read before its death is told.
 */
#include "worker/zygote.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/call_filter.h"
#include "common/clock.h"
#include "worker/id_maps.h"
#include "worker/zygote_spawn.h"

#define BOOT_TIMEOUT_MS  60000
#define END_TIMEOUT_MS   2000
#define RESTART_FIRST_MS 100
#define RESTART_MAX_MS   10000
/* A zygote that lived this long was a good one: the pause starts from the beginning. */
#define LIVED_WELL_US    10000000
#define FORK_FDS         2

enum zygote_state { ZYGOTE_IDLE, ZYGOTE_BOOTING, ZYGOTE_UP, ZYGOTE_ENDING };

struct zygote {
    struct event_base *base;
    const struct zygote_command *command;
    struct zygote_hooks hooks;
    enum zygote_state state;
    bool retired; /* not to be started again */
    pid_t pid;    /* -1: none */
    int control_fd, pidfd;
    struct event *control_event, *pid_event, *timer;
    uint64_t ready_us;
    unsigned failures;  /* in a row */
    struct err failure; /* the first thing that went wrong with this process */
    struct layer_report reports[LAYER_COUNT]; /* of its start */
    struct zygote_cgroup where;
    struct cgroup cgroup;
};

static void start(struct zygote *zygote);
static void on_control(evutil_socket_t fd, short what, void *context);
static void on_process_end(evutil_socket_t fd, short what, void *context);

static void
arm_timer(struct zygote *zygote, unsigned ms)
{
    struct timeval delay = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    event_add(zygote->timer, &delay);
}

/* ---- end and restart ---- */

static void
close_process(struct zygote *zygote)
{
    if (zygote->control_event != NULL)
        event_free(zygote->control_event);
    if (zygote->pid_event != NULL)
        event_free(zygote->pid_event);
    zygote->control_event = zygote->pid_event = NULL;
    if (zygote->control_fd >= 0)
        close(zygote->control_fd);
    if (zygote->pidfd >= 0)
        close(zygote->pidfd);
    zygote->control_fd = zygote->pidfd = -1;
    zygote->pid = -1;
    cgroup_end(&zygote->cgroup, zygote->where.tree);
}

/* Nothing of the process is left. */
static void
bury(struct zygote *zygote)
{
    struct err failure = zygote->failure;
    bool lived_well =
        zygote->ready_us != 0 && clock_monotonic_us() - zygote->ready_us >= LIVED_WELL_US;
    unsigned pause_ms = RESTART_FIRST_MS;

    zygote->failures = lived_well ? 1 : zygote->failures + 1;
    for (unsigned i = 1; i < zygote->failures && pause_ms < RESTART_MAX_MS; i++)
        pause_ms *= 2;
    close_process(zygote);
    zygote->state = ZYGOTE_IDLE;
    zygote->ready_us = 0;
    zygote->failure = (struct err)ERR_INIT;
    if (!zygote->retired)
        arm_timer(zygote, pause_ms < RESTART_MAX_MS ? pause_ms : RESTART_MAX_MS);
    /* Last: a retired one may be freed there. */
    zygote->hooks.on_death(zygote->hooks.context, &failure);
}

/* It cannot go on. Its death follows; why is told then. */
static void
give_up(struct zygote *zygote)
{
    if (zygote->state == ZYGOTE_ENDING)
        return;
    zygote->state = ZYGOTE_ENDING;
    event_del(zygote->timer);
    event_del(zygote->control_event);
    (void)pidfd_send_signal(zygote->pidfd, SIGKILL, NULL, 0);
}

static void
note_failure(struct zygote *zygote, const char *text)
{
    if (zygote->failure.code == ERR_NONE)
        err_set(&zygote->failure, ERR_SANDBOX_ERROR, 0, "the zygote of %s %s",
                zygote->command->program, text);
}

static void
on_process_end(evutil_socket_t fd, short what, void *context)
{
    struct zygote *zygote = context;
    char text[96];
    int status = 0;

    /* What it said last. */
    if (zygote->state != ZYGOTE_ENDING)
        on_control(zygote->control_fd, what, zygote);
    (void)fd;
    if (waitpid(zygote->pid, &status, WNOHANG) == 0)
        return;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && zygote_explains_kill(zygote))
        snprintf(text, sizeof(text), "was killed by the kernel for want of memory");
    else if (WIFSIGNALED(status))
        snprintf(text, sizeof(text), "was ended by signal %d", WTERMSIG(status));
    else
        snprintf(text, sizeof(text), "ended with code %d", WEXITSTATUS(status));
    note_failure(zygote, text);
    bury(zygote);
}

/* ---- messages ---- */

static void
on_ready(struct zygote *zygote, const struct zygote_event *event)
{
    if (event->version != ZYGOTE_PROTOCOL_VERSION || zygote->state != ZYGOTE_BOOTING) {
        note_failure(zygote, "speaks another version of the protocol");
        give_up(zygote);
        return;
    }
    zygote->state = ZYGOTE_UP;
    zygote->ready_us = clock_monotonic_us();
    event_del(zygote->timer);
    zygote->hooks.on_ready(zygote->hooks.context, event->boot_us);
}

static void
note_layer(struct zygote *zygote, const struct zygote_event *event)
{
    if (event->serial >= LAYER_COUNT)
        return;
    struct layer_report *report = &zygote->reports[event->serial];
    *report = (struct layer_report){.told = true, .sys_errno = event->sys_errno};
    (void)snprintf(report->text, sizeof(report->text), "%.90s", event->text);
}

static void
describe_failure(const struct zygote_event *event, char *text, size_t size)
{
    char name[CALL_NAME_SIZE];

    if (event->denied_call == 0) {
        snprintf(text, size, "failed: %.*s", (int)sizeof(event->text), event->text);
        return;
    }
    call_name((int)(event->denied_call - 1), name);
    snprintf(text, size, "made a system call that is not allowed: %s", name);
}

/* What cannot be written is told to the process, which goes on without and reports that. */
static void
write_id_maps(struct zygote *zygote, bool groups_dropped)
{
    struct zygote_request answer = {.type = ZYGOTE_MAPPED};
    struct err err = ERR_INIT;

    if (zygote->state == ZYGOTE_BOOTING &&
        id_maps_write(zygote->pid, zygote->command->uid, groups_dropped, &err) < 0)
        answer.serial = (uint32_t)err.sys_errno;
    (void)send(zygote->control_fd, &answer, sizeof(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Takes fd, which is -1 when none came along. */
static void
dispatch(struct zygote *zygote, const struct zygote_event *event, int fd)
{
    char text[sizeof(event->text) + 16];

    switch ((enum zygote_event_type)event->type) {
    case ZYGOTE_READY:
        on_ready(zygote, event);
        break;
    case ZYGOTE_FORKED:
        zygote->hooks.on_forked(zygote->hooks.context, event->serial, fd);
        return;
    case ZYGOTE_EXITED:
        zygote->hooks.on_ended(zygote->hooks.context, event);
        break;
    case ZYGOTE_LAYER:
        note_layer(zygote, event);
        break;
    case ZYGOTE_MAPS:
        write_id_maps(zygote, event->status != 0);
        break;
    case ZYGOTE_FAILED:
        if (event->serial != 0) {
            zygote->hooks.on_ended(zygote->hooks.context, event);
            break;
        }
        describe_failure(event, text, sizeof(text));
        note_failure(zygote, text);
        give_up(zygote);
        break;
    }
    if (fd >= 0)
        close(fd);
}

static int
received_fd(struct msghdr *message)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    int fd = -1;

    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return fd;
}

/* 1: a message; 0: nothing more for now; -1: the socket is closed, or what came is rubbish. */
static int
receive(int control_fd, struct zygote_event *event, int *fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = event, .iov_len = sizeof(*event)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};

    ssize_t got;

    /* Told once, when it ends with requests of ours unread; what it said before is still there. */
    do
        got = recvmsg(control_fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (got < 0 && errno == ECONNRESET);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        return -1;
    *fd = received_fd(&message);
    if (got == (ssize_t)sizeof(*event))
        return 1;
    if (*fd >= 0)
        close(*fd);
    return -1;
}

static void
on_control(evutil_socket_t fd, short what, void *context)
{
    struct zygote *zygote = context;
    struct zygote_event event;
    int event_fd = -1;

    (void)what;
    while (zygote->state == ZYGOTE_BOOTING || zygote->state == ZYGOTE_UP) {
        int got = receive(fd, &event, &event_fd);
        if (got == 0)
            return;
        if (got < 0) {
            /* It is dying by itself; the kill of give_up() only makes sure. */
            give_up(zygote);
            return;
        }
        event.text[sizeof(event.text) - 1] = '\0';
        dispatch(zygote, &event, event_fd);
    }
}

int
zygote_fork(struct zygote *zygote, uint32_t serial, int job_socket, int job_memory_fd,
            struct err *err)
{
    struct zygote_request request = {.type = ZYGOTE_FORK, .serial = serial};
    int fds[FORK_FDS] = {job_socket, job_memory_fd};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(fds))];
    } control = {.bytes = {0}};
    struct iovec part = {.iov_base = &request, .iov_len = sizeof(request)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};

    if (zygote->state != ZYGOTE_UP)
        return err_set(err, ERR_SANDBOX_ERROR, 0, "the zygote is not ready");
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(header), fds, sizeof(fds));
    if (sendmsg(zygote->control_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot ask the zygote for a fork");
    return 0;
}

/* ---- start ---- */

static int
watch(struct zygote *zygote, struct err *err)
{
    zygote->pidfd = pidfd_open(zygote->pid, 0);
    if (zygote->pidfd < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot watch the zygote");
    zygote->control_event =
        event_new(zygote->base, zygote->control_fd, EV_READ | EV_PERSIST, on_control, zygote);
    zygote->pid_event =
        event_new(zygote->base, zygote->pidfd, EV_READ | EV_PERSIST, on_process_end, zygote);
    if (zygote->control_event == NULL || zygote->pid_event == NULL ||
        event_add(zygote->control_event, NULL) < 0 || event_add(zygote->pid_event, NULL) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, ENOMEM, "cannot watch the zygote");
    return 0;
}

static void
start(struct zygote *zygote)
{
    struct err err = ERR_INIT;

    memset(zygote->reports, 0, sizeof(zygote->reports));
    if (zygote->where.tree != NULL)
        cgroup_make(&zygote->cgroup, zygote->where.tree, &zygote->where.limits, zygote->reports);
    int control_fd = zygote_spawn(zygote->command, &zygote->cgroup, &zygote->pid, &err);
    if (control_fd < 0) {
        zygote->failure = err;
        bury(zygote);
        return;
    }
    zygote->control_fd = control_fd;
    zygote->state = ZYGOTE_BOOTING;
    arm_timer(zygote, BOOT_TIMEOUT_MS);
    if (watch(zygote, &err) < 0) {
        /* Rare enough (no descriptor left) to wait for the end of what was just started. */
        kill(zygote->pid, SIGKILL);
        (void)waitpid(zygote->pid, NULL, 0);
        zygote->failure = err;
        bury(zygote);
    }
}

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
    struct zygote *zygote = context;

    (void)fd;
    (void)what;
    if (zygote->retired) {
        if (zygote->state == ZYGOTE_IDLE)
            bury(zygote);
        else
            (void)pidfd_send_signal(zygote->pidfd, SIGKILL, NULL, 0);
        return;
    }
    if (zygote->state == ZYGOTE_IDLE) {
        start(zygote);
        return;
    }
    note_failure(zygote, "did not become ready within a minute");
    give_up(zygote);
}

struct zygote *
zygote_new(struct event_base *base, const struct zygote_command *command,
           const struct zygote_cgroup *cgroup, const struct zygote_hooks *hooks, struct err *err)
{
    struct zygote *zygote = calloc(1, sizeof(*zygote));

    if (zygote == NULL || (zygote->timer = evtimer_new(base, on_timer, zygote)) == NULL) {
        free(zygote);
        err_set(err, ERR_SYSTEM, ENOMEM, "cannot make a zygote");
        return NULL;
    }
    zygote->base = base;
    zygote->command = command;
    zygote->where = *cgroup;
    zygote->cgroup = (struct cgroup)CGROUP_INIT;
    zygote->hooks = *hooks;
    zygote->pid = -1;
    zygote->control_fd = zygote->pidfd = -1;
    arm_timer(zygote, 0);
    return zygote;
}

/* Closing the control socket lets a zygote that keeps files of its own remove them. */
static void
ask_to_end(struct zygote *zygote)
{
    if (zygote->control_event != NULL)
        event_free(zygote->control_event);
    zygote->control_event = NULL;
    if (zygote->control_fd >= 0)
        close(zygote->control_fd);
    zygote->control_fd = -1;
}

void
zygote_retire(struct zygote *zygote)
{
    zygote->retired = true;
    if (zygote->state == ZYGOTE_IDLE) {
        arm_timer(zygote, 0);
        return;
    }
    zygote->state = ZYGOTE_ENDING;
    ask_to_end(zygote);
    arm_timer(zygote, END_TIMEOUT_MS);
}

void
zygote_free(struct zygote *zygote)
{
    if (zygote == NULL)
        return;
    pid_t pid = zygote->pid;
    event_free(zygote->timer);
    if (pid > 0) {
        struct pollfd gone = {.fd = zygote->pidfd, .events = POLLIN};
        ask_to_end(zygote);
        (void)poll(&gone, 1, END_TIMEOUT_MS);
        kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
    close_process(zygote);
    free(zygote);
}

void
zygote_refuse(struct zygote *zygote, const struct err *why)
{
    zygote->failure = *why;
    give_up(zygote);
}

bool
zygote_ready(const struct zygote *zygote)
{
    return zygote->state == ZYGOTE_UP;
}

int
zygote_pid(const struct zygote *zygote)
{
    return zygote->pid;
}

bool
zygote_explains_kill(struct zygote *zygote)
{
    return cgroup_explains_kill(&zygote->cgroup);
}

const struct layer_report *
zygote_layer_reports(const struct zygote *zygote)
{
    return zygote->reports;
}
