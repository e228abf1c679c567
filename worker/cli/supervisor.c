/*
 * Theory of operation
 *
 * One process, one thread, one poll() over two descriptors: the control socket from the worker,
 * and a signalfd for SIGCHLD and SIGTERM. It never sees a user's code; the pumps do.
 *
 *     supervisor ──fork──▶ pump (leader of a process group) ──fork, exec──▶ WASI runtime
 *
 * The supervisor is a child subreaper: when a pump is killed, its runtime (which the kernel kills
 * with it) becomes the supervisor's child. A job is reported as EXITED only when its whole process
 * group has been killed and reaped, with the CPU time of all of them; so EXITED means that nothing
 * of the job is left. A dead pump keeps its process group's number from being used anew until it
 * is reaped, which is why the group is killed before that.
 *
 * Killed itself, it takes the pumps along (PR_SET_PDEATHSIG), and they their runtimes.
 */
#include "worker/cli/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "worker/cli/control.h"
#include "worker/cli/pump.h"
#include "worker/cli/trial.h"

#define JOBS_MAX 4096 /* pumps at a time, waiting ones included */

struct job {
    pid_t pump;                /* also the process group; 0: free */
    bool ended;                /* the pump is reaped; the rest of its group may not be */
    struct zygote_event event; /* EXITED, as it stands by now */
};

struct supervisor {
    struct pump template; /* what every pump gets; its descriptors are set per job */
    int control_fd;
    int signal_fd;
    struct job jobs[JOBS_MAX];
    bool stop;
};

static struct job *
find_job(struct supervisor *supervisor, pid_t pump)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (supervisor->jobs[i].pump == pump)
            return &supervisor->jobs[i];
    }
    return NULL;
}

/* A worker that no longer listens is one that has closed the socket. */
static void
send_event(struct supervisor *supervisor, const struct zygote_event *event, int fd)
{
    if (control_send(supervisor->control_fd, event, fd) < 0)
        supervisor->stop = true;
}

static void
refuse(struct supervisor *supervisor, uint32_t serial, int code, const char *text)
{
    struct zygote_event event = {.type = ZYGOTE_FAILED, .serial = serial, .sys_errno = code};

    strncpy(event.text, text, sizeof(event.text) - 1);
    send_event(supervisor, &event, -1);
}

/* fds: job socket, job memory; closed by the caller. */
static void
fork_pump(struct supervisor *supervisor, uint32_t serial, const int fds[2])
{
    struct job *job = find_job(supervisor, 0);
    struct pump pump = supervisor->template;

    if (!job) {
        refuse(supervisor, serial, EAGAIN, "too many jobs at a time");
        return;
    }
    pump.job_socket_fd = fds[0];
    pump.job_memory_fd = fds[1];
    pid_t pid = fork();
    if (pid == 0)
        pump_run(&pump);
    if (pid < 0) {
        refuse(supervisor, serial, errno, "fork failed");
        return;
    }
    (void)setpgid(pid, pid); /* the pump does it too: whoever comes first */
    *job = (struct job){.pump = pid, .event = {.type = ZYGOTE_EXITED, .serial = serial}};
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) { /* nobody could kill it in time: it will be reported as EXITED */
        (void)kill(-pid, SIGKILL);
        return;
    }
    struct zygote_event forked = {.type = ZYGOTE_FORKED, .serial = serial, .pid = pid};
    send_event(supervisor, &forked, pidfd);
    close(pidfd);
}

static void
on_control(struct supervisor *supervisor)
{
    struct zygote_request request = {0};
    int fds[2];

    if (control_receive(supervisor->control_fd, &request, fds) <= 0) {
        supervisor->stop = true;
        return;
    }
    if (request.type != ZYGOTE_FORK || fds[0] < 0 || fds[1] < 0)
        refuse(supervisor, request.serial, EINVAL, "not a request that this zygote knows");
    else
        fork_pump(supervisor, request.serial, fds);
    for (int i = 0; i < 2; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

static void
add_usage(struct zygote_event *event, const struct rusage *usage)
{
    const struct timeval *user = &usage->ru_utime, *system = &usage->ru_stime;

    event->cpu_us += (uint64_t)(user->tv_sec + system->tv_sec) * 1000000u +
                     (uint64_t)(user->tv_usec + system->tv_usec);
    event->minor_faults += (uint64_t)usage->ru_minflt;
    if ((uint64_t)usage->ru_maxrss > event->max_rss_kib)
        event->max_rss_kib = (uint64_t)usage->ru_maxrss;
}

/* Reaps pid, which has ended: a pump, or what a dead pump has left. */
static void
reap_one(struct supervisor *supervisor, pid_t pid)
{
    struct job *job = find_job(supervisor, pid);
    struct job *owner = job ? job : find_job(supervisor, getpgid(pid));
    struct rusage usage;
    int status;

    if (job)
        (void)kill(-pid, SIGKILL);
    if (wait4(pid, &status, WNOHANG, &usage) != pid)
        return;
    if (owner)
        add_usage(&owner->event, &usage);
    if (job) {
        job->ended = true;
        job->event.pid = pid;
        job->event.status = status;
    }
}

/* Reports each job of which nothing is left. */
static void
report_ended(struct supervisor *supervisor)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        struct job *job = &supervisor->jobs[i];
        siginfo_t info;
        if (!job->pump || !job->ended)
            continue;
        if (waitid(P_PGID, (id_t)job->pump, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
            continue; /* killed already; SIGCHLD will come */
        send_event(supervisor, &job->event, -1);
        job->pump = 0;
    }
}

static void
reap(struct supervisor *supervisor)
{
    for (;;) {
        siginfo_t info = {.si_pid = 0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            break;
        reap_one(supervisor, info.si_pid);
    }
    report_ended(supervisor);
}

static void
on_signal(struct supervisor *supervisor)
{
    struct signalfd_siginfo info;

    while (read(supervisor->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGTERM)
            supervisor->stop = true;
    }
    reap(supervisor);
}

static void
kill_all(struct supervisor *supervisor)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (supervisor->jobs[i].pump && !supervisor->jobs[i].ended)
            (void)kill(-supervisor->jobs[i].pump, SIGKILL);
    }
    while (wait(NULL) > 0 || errno == EINTR)
        ;
}

/*
 * SIGINT is ignored: a Ctrl-C in the terminal reaches every process of the foreground, and it is
 * the worker that decides whether running jobs may finish.
 */
static int
supervisor_init(struct supervisor *supervisor, struct err *err)
{
    sigset_t watched;

    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    sigaddset(&watched, SIGTERM);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &watched, &supervisor->template.signals) < 0)
        return err_set(err, ERR_SYSTEM, errno, "blocking signals");
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return err_set(err, ERR_SYSTEM, errno, "becoming a child subreaper");
    supervisor->signal_fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    if (supervisor->signal_fd < 0)
        return err_set(err, ERR_SYSTEM, errno, "opening a signalfd");
    return 0;
}

static int
serve(struct supervisor *supervisor, struct err *err)
{
    while (!supervisor->stop) {
        struct pollfd fds[] = {{.fd = supervisor->control_fd, .events = POLLIN},
                               {.fd = supervisor->signal_fd, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return err_set(err, ERR_SYSTEM, errno, "waiting for the worker");
        if (fds[1].revents)
            on_signal(supervisor);
        if (fds[0].revents && !supervisor->stop)
            on_control(supervisor);
    }
    return 0;
}

int
supervisor_run(const struct cli_options *options, const char *home, int control_fd, struct err *err)
{
    uint64_t started_us = clock_monotonic_us();
    struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
    int result = -1;

    if (!supervisor)
        return err_set(err, ERR_SYSTEM, ENOMEM, "starting");
    supervisor->control_fd = control_fd;
    supervisor->signal_fd = -1;
    supervisor->template = (struct pump){.options = options, .home = home, .supervisor = getpid()};
    if (supervisor_init(supervisor, err) == 0 &&
        trial_run(&supervisor->template, control_fd, err) == 0) {
        struct zygote_event ready = {.type = ZYGOTE_READY,
                                     .version = ZYGOTE_PROTOCOL_VERSION,
                                     .boot_us = clock_monotonic_us() - started_us};
        send_event(supervisor, &ready, -1);
        result = serve(supervisor, err);
    }
    kill_all(supervisor);
    if (supervisor->signal_fd >= 0)
        close(supervisor->signal_fd);
    free(supervisor);
    return result;
}
