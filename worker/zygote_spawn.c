#include "worker/zygote_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

/* Above every number that the new process's descriptors get, so that no dup2() hits another. */
#define SPAWN_FD_MIN 10

static void
close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* Opens what becomes descriptor 4; /dev/null stands for no tree. */
static int
open_tree(const struct zygote_command *command, struct err *err)
{
    const char *path = command->tree_path != NULL ? command->tree_path : "/dev/null";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot open %s", path);
    int high = fcntl(fd, F_DUPFD_CLOEXEC, SPAWN_FD_MIN);
    int code = errno;
    close(fd);
    if (high < 0)
        return err_set(err, ERR_SANDBOX_ERROR, code, "cannot duplicate a descriptor");
    return high;
}

static int
add_actions(posix_spawn_file_actions_t *actions, int control_fd, int tree_fd)
{
    int code = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

    if (code == 0)
        code = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(actions, control_fd, ZYGOTE_CONTROL_FD);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(actions, tree_fd, ZYGOTE_TREE_FD);
    return code;
}

/* The zygote starts with no signal blocked or ignored. */
static int
add_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    int code = posix_spawnattr_setsigdefault(attributes, &all);
    if (code == 0)
        code = posix_spawnattr_setsigmask(attributes, &none);
    if (code == 0)
        code = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    return code;
}

static int
spawn(const struct zygote_command *command, int control_fd, int tree_fd, pid_t *pid,
      struct err *err)
{
    static char *no_environment[] = {NULL};
    char **env = command->env != NULL ? command->env : no_environment;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return err_set(err, ERR_SANDBOX_ERROR, ENOMEM, "cannot start %s", command->program);
    int code = posix_spawnattr_init(&attributes);
    if (code == 0) {
        code = add_actions(&actions, control_fd, tree_fd);
        if (code == 0)
            code = add_attributes(&attributes);
        if (code == 0)
            code = posix_spawn(pid, command->program, &actions, &attributes, command->argv, env);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    if (code != 0)
        return err_set(err, ERR_SANDBOX_ERROR, code, "cannot start %s", command->program);
    return 0;
}

int
zygote_spawn(const struct zygote_command *command, pid_t *pid, struct err *err)
{
    int ends[2];
    int result = -1;
    int theirs = -1;

    int tree_fd = open_tree(command, err);
    if (tree_fd < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        int code = errno;
        close(tree_fd);
        return err_set(err, ERR_SANDBOX_ERROR, code, "cannot make a control socket");
    }
    /* Only our end does not block: the flag belongs to the end, not to the pair. */
    theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, SPAWN_FD_MIN);
    if (theirs < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
        err_set(err, ERR_SANDBOX_ERROR, errno, "cannot set up a control socket");
    else
        result = spawn(command, theirs, tree_fd, pid, err);
    close_fd(theirs);
    close_fd(ends[1]);
    close_fd(tree_fd);
    if (result == 0)
        return ends[0];
    close_fd(ends[0]);
    return -1;
}
