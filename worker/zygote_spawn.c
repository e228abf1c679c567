#include "worker/zygote_spawn.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/stage.h"

#define PROGRAM_HEADERS_MAX 64

static void
close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* ---- what it gets ---- */

/* Moves fd out of the way of the numbers that descriptors get in the new process. -1: errno. */
static int
lift(int fd)
{
    if (fd < 0)
        return -1;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, STAGE_FD_MIN);
    int code = errno;
    close(fd);
    errno = code;
    return high;
}

static int
open_lifted(const char *path, int flags, struct err *err)
{
    int fd = lift(open(path, flags | O_CLOEXEC));

    if (fd < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot open %s", path);
    return fd;
}

static bool
has_interpreter(int program_fd)
{
    Elf64_Ehdr header;
    Elf64_Phdr entries[PROGRAM_HEADERS_MAX];

    if (pread(program_fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
        header.e_phentsize != sizeof(entries[0]) || header.e_phnum > PROGRAM_HEADERS_MAX)
        return true;
    ssize_t bytes = (ssize_t)(header.e_phnum * sizeof(entries[0]));
    if (pread(program_fd, entries, (size_t)bytes, (off_t)header.e_phoff) != bytes)
        return true;
    for (unsigned i = 0; i < header.e_phnum; i++)
        if (entries[i].p_type == PT_INTERP)
            return true;
    return false;
}

bool
zygote_program_has_interpreter(const char *program)
{
    int fd = open(program, O_RDONLY | O_CLOEXEC);
    bool has = fd < 0 || has_interpreter(fd);

    close_fd(fd);
    return has;
}

/* May we end processes of another user? Those in a user namespace of ours we may in any case. */
static bool
may_kill_others(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    return syscall(SYS_capget, &header, data) == 0 && (data[0].effective & (1u << CAP_KILL)) != 0;
}

static void
close_stage(const struct stage *stage)
{
    close_fd(stage->control_fd);
    close_fd(stage->tree_fd);
    close_fd(stage->null_fd);
    close_fd(stage->program_fd);
    close_fd(stage->proc_fd);
    close_fd(stage->cgroup_fd);
}

static int
open_stage(struct stage *stage, const struct zygote_command *command, const struct cgroup *cgroup,
           struct err *err)
{
    stage->program = command->program;
    stage->argv = command->argv;
    stage->env = command->env;
    stage->uid = command->uid;
    stage->may_kill_others = may_kill_others();
    stage->null_fd = open_lifted("/dev/null", O_RDWR, err);
    stage->program_fd = open_lifted(command->program, O_RDONLY, err);
    stage->tree_fd =
        open_lifted(command->tree_path != NULL ? command->tree_path : "/dev/null", O_RDONLY, err);
    if (stage->null_fd < 0 || stage->program_fd < 0 || stage->tree_fd < 0)
        return -1;
    stage->needs_root = has_interpreter(stage->program_fd);
    if (command->reads_proc)
        stage->proc_fd = lift(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
    stage->cgroup_fd = lift(cgroup_open_door(cgroup));
    return 0;
}

/* ---- the process ---- */

/* Another process with a copy of our memory, as fork() makes it. */
static pid_t
clone_with(int namespaces)
{
    return (pid_t)syscall(SYS_clone, namespaces | SIGCHLD, NULL, NULL, NULL, NULL);
}

/*
 * The namespaces that no unshare() can give to the process itself: pid, and for others than root
 * the user namespace that it takes to have any. As root that one comes later, see stage.h.
 */
static pid_t
clone_stage(struct stage *stage)
{
    static const int as_root[] = {CLONE_NEWPID, CLONE_NEWUSER | CLONE_NEWPID, 0};
    static const int as_other[] = {CLONE_NEWUSER | CLONE_NEWPID, CLONE_NEWUSER, 0};
    const int *tried = geteuid() == 0 ? as_root : as_other;

    for (;; tried++) {
        stage->own_user = (*tried & CLONE_NEWUSER) != 0;
        stage->own_pid = (*tried & CLONE_NEWPID) != 0;
        pid_t pid = clone_with(*tried);
        if (pid >= 0 || *tried == 0)
            return pid;
        stage->pid_errno = errno;
    }
}

/* With every signal blocked: our handlers must not run in a copy of us. */
static pid_t
start(struct stage *stage, struct err *err)
{
    sigset_t all, before;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = clone_stage(stage);
    if (pid == 0)
        stage_run(stage);
    int code = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return err_set(err, ERR_SANDBOX_ERROR, code, "cannot start %s", stage->program);
    return pid;
}

int
zygote_spawn(const struct zygote_command *command, const struct cgroup *cgroup, pid_t *pid,
             struct err *err)
{
    struct stage stage = {.control_fd = -1, .proc_fd = -1, .cgroup_fd = -1};
    int ends[2] = {-1, -1};
    pid_t started = -1;

    if (open_stage(&stage, command, cgroup, err) == 0) {
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0)
            stage.control_fd = lift(ends[1]);
        /* Only our end does not block: the flag belongs to the end, not to the pair. */
        if (stage.control_fd < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
            err_set(err, ERR_SANDBOX_ERROR, errno, "cannot make a control socket");
        else
            started = start(&stage, err);
    }
    close_stage(&stage);
    if (started < 0) {
        close_fd(ends[0]);
        return -1;
    }
    *pid = started;
    return ends[0];
}
