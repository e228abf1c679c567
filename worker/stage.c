#include "worker/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/capabilities.h"
#include "worker/kernel_file.h"
#include "worker/layers.h"
#include "worker/zygote_protocol.h"

#define HOST_NAME       "retort"
#define DOMAIN_NAME     "(none)"
/* Exists wherever the worker can start a zygote, and is opened already where it is needed. */
#define MOUNT_POINT     "/proc"
#define ROOT_FLAGS      (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
/* Only until exec. */
#define PROGRAM_FD      (ZYGOTE_PROC_FD + 1)
#define EXIT_NOT_STAGED 124

/* ---- talking to the worker ---- */

static void
say(const struct zygote_event *event)
{
    if (send(ZYGOTE_CONTROL_FD, event, sizeof(*event), MSG_NOSIGNAL) < 0)
        _exit(EXIT_NOT_STAGED);
}

/* Goes on without it. */
static void
report(enum layer layer, int code, const char *step)
{
    struct zygote_event event = {
        .type = ZYGOTE_LAYER, .serial = (uint32_t)layer, .sys_errno = code};

    strncpy(event.text, step, sizeof(event.text) - 1);
    say(&event);
}

static _Noreturn void
fail(const struct stage *stage, int code, const char *step)
{
    struct zygote_event event = {.type = ZYGOTE_FAILED, .sys_errno = code};

    /* No locks and no allocation with these formats. */
    (void)snprintf(event.text, sizeof(event.text), "cannot %s %.150s: %s", step, stage->program,
                   strerrordesc_np(code));
    say(&event);
    _exit(EXIT_NOT_STAGED);
}

/* ---- descriptors, signals ---- */

/* The last two are gone with exec. Nothing of the worker's stays but standard error. */
static void
arrange_descriptors(const struct stage *stage)
{
    if (dup2(stage->control_fd, ZYGOTE_CONTROL_FD) < 0)
        _exit(EXIT_NOT_STAGED);
    if (dup2(stage->null_fd, STDIN_FILENO) < 0 || dup2(stage->null_fd, STDOUT_FILENO) < 0 ||
        dup2(stage->tree_fd, ZYGOTE_TREE_FD) < 0 ||
        (stage->proc_fd >= 0 && dup2(stage->proc_fd, ZYGOTE_PROC_FD) < 0) ||
        dup3(stage->program_fd, PROGRAM_FD, O_CLOEXEC) < 0 ||
        close_range(PROGRAM_FD + 1, ~0u, 0) < 0)
        fail(stage, errno, "set up descriptors of");
    if (stage->proc_fd < 0)
        close(ZYGOTE_PROC_FD);
}

/*
 * Before all else: what follows counts there, and a cgroup namespace begins at the group that its
 * maker is in. 0, or errno.
 */
static int
enter_cgroup(const struct stage *stage)
{
    return stage->cgroup_fd < 0 || write(stage->cgroup_fd, "0", 1) == 1 ? 0 : errno;
}

/* The program starts with no signal blocked or ignored. */
static void
reset_signals(void)
{
    sigset_t none;

    for (int number = 1; number < SIGRTMAX; number++)
        (void)signal(number, SIG_DFL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * When the host runs out of memory, the kernel ends jobs before anything else, the worker included.
 * Takes no right, so it fails only where /proc cannot be seen.
 */
static void
go_first_without_memory(void)
{
    (void)kernel_file_write(AT_FDCWD, "/proc/self/oom_score_adj", "1000");
}

/* ---- identity ---- */

/* The C library's functions would ask all threads of the worker, which are not in this process. */
static int
set_groups(void)
{
    return (int)syscall(SYS_setgroups, 0, NULL);
}

static void
take_identity(const struct stage *stage, bool groups_dropped)
{
    if (!groups_dropped && set_groups() < 0 && errno != EPERM)
        report(LAYER_USER, errno, "setgroups");
    if (syscall(SYS_setresgid, stage->uid, stage->uid, stage->uid) < 0)
        report(LAYER_USER, errno, "setresgid");
    if (syscall(SYS_setresuid, stage->uid, stage->uid, stage->uid) < 0)
        report(LAYER_USER, errno, "setresuid");
}

/*
 * In the user namespace that this process is in by now. The worker writes the maps: it has the
 * rights, and this process need not have them. Without maps (root without capabilities may not
 * write any) it has no user in there, and remains its own outside.
 */
static void
take_mapped_identity(const struct stage *stage, bool groups_dropped)
{
    const struct zygote_event event = {.type = ZYGOTE_MAPS, .status = groups_dropped};
    struct zygote_request answer;
    ssize_t got;

    say(&event);
    do
        got = recv(ZYGOTE_CONTROL_FD, &answer, sizeof(answer), 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof(answer) || answer.type != ZYGOTE_MAPPED)
        _exit(EXIT_NOT_STAGED);
    if (answer.serial == 0)
        take_identity(stage, groups_dropped);
    else
        report(LAYER_USER, (int)answer.serial, "writing the id maps");
}

static void
limit_capabilities(void)
{
    const char *failed = capabilities_limit();

    if (failed != NULL)
        report(LAYER_CAPABILITIES, errno, failed);
}

/* Of root's, which has entered no user namespace yet. The change of user takes what it needs. */
static void
give_up_root(const struct stage *stage, bool groups_dropped)
{
    if (unshare(CLONE_NEWUSER) == 0) {
        limit_capabilities();
        take_mapped_identity(stage, groups_dropped);
        return;
    }
    report(LAYER_USER_NAMESPACE, errno, "unshare");
    limit_capabilities();
    if (stage->may_kill_others)
        take_identity(stage, groups_dropped);
    else
        report(LAYER_USER, 0, "the worker could not end processes of another user");
}

/* ---- namespaces ---- */

static bool
leave(int namespace, enum layer layer)
{
    if (unshare(namespace) == 0)
        return true;
    report(layer, errno, "unshare");
    return false;
}

static void
take_host_name(void)
{
    if (sethostname(HOST_NAME, strlen(HOST_NAME)) < 0 ||
        setdomainname(DOMAIN_NAME, strlen(DOMAIN_NAME)) < 0)
        report(LAYER_UTS_NAMESPACE, errno, "sethostname");
}

/* pivot_root() on one directory stacks the old root on the new one, from where it is let go. */
static const char *
change_root(void)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return "making mounts private";
    if (mount("none", MOUNT_POINT, "tmpfs", ROOT_FLAGS, "mode=0555,size=4k,nr_inodes=1") < 0)
        return "mounting a tmpfs";
    if (chdir(MOUNT_POINT) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        return "pivot_root";
    if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return "unmounting the old root";
    return NULL;
}

static void
empty_root(const struct stage *stage)
{
    const char *failed;

    if (stage->needs_root)
        report(LAYER_ROOT, 0, "this engine's program needs files");
    else if ((failed = change_root()) != NULL)
        report(LAYER_ROOT, errno, failed);
}

static void
enter_namespaces(const struct stage *stage)
{
    (void)leave(CLONE_NEWCGROUP, LAYER_CGROUP_NAMESPACE);
    (void)leave(CLONE_NEWIPC, LAYER_IPC_NAMESPACE);
    (void)leave(CLONE_NEWNET, LAYER_NETWORK_NAMESPACE);
    if (leave(CLONE_NEWUTS, LAYER_UTS_NAMESPACE))
        take_host_name();
    if (leave(CLONE_NEWNS, LAYER_MOUNT_NAMESPACE))
        empty_root(stage);
    else
        report(LAYER_ROOT, 0, "there is no mount namespace");
}

/* ---- all of it, in order ---- */

static void
isolate(const struct stage *stage)
{
    bool groups_dropped = !stage->own_user && set_groups() == 0;

    if (!stage->own_pid)
        report(LAYER_PID_NAMESPACE, stage->pid_errno, "clone");
    /* First where it gives the right to what follows, last where that is there without it. */
    if (stage->own_user)
        take_mapped_identity(stage, groups_dropped);
    enter_namespaces(stage);
    if (stage->own_user)
        limit_capabilities();
    else
        give_up_root(stage, groups_dropped);
    if (capabilities_drop() < 0)
        report(LAYER_CAPABILITIES, errno, "capset");
}

_Noreturn void
stage_run(const struct stage *stage)
{
    int cgroup_errno = enter_cgroup(stage);

    arrange_descriptors(stage);
    if (cgroup_errno != 0) {
        report(LAYER_MEMORY_CGROUP, cgroup_errno, "entering the zygote's control group");
        report(LAYER_PIDS_CGROUP, cgroup_errno, "entering the zygote's control group");
    }
    reset_signals();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* A hidden process has files that only root may write. The program hides itself again. */
    (void)prctl(PR_SET_DUMPABLE, 1);
    go_first_without_memory();
    isolate(stage);
    /* The change of user took it back. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        fail(stage, errno, "lock down");
    syscall(SYS_execveat, PROGRAM_FD, "", stage->argv, stage->env, AT_EMPTY_PATH);
    fail(stage, errno, "start");
}
