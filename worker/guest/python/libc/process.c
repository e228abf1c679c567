/* The process that the program is, alone in its world: see users.c for who it is. */
#include "guest_posix.h"

#include <errno.h>
#include <signal.h>

int __real_raise(int sig);
int __wrap_raise(int sig);

uid_t
getuid(void)
{
    return 0;
}

uid_t
geteuid(void)
{
    return 0;
}

gid_t
getgid(void)
{
    return 0;
}

gid_t
getegid(void)
{
    return 0;
}

int
getgroups(int size, gid_t *list)
{
    if (size < 0) {
        errno = EINVAL;
        return -1;
    }
    if (size > 0)
        list[0] = 0;
    return 1;
}

pid_t
getppid(void)
{
    return 1;
}

/*
 * wasi-libc's raise() prints a line and traps where a signal's default is to end the process. Here
 * it ends as a shell would report it; only those that natively leave a core are crashes.
 */
static int
ends_quietly(int sig)
{
    switch (sig) {
    case SIGHUP:
    case SIGINT:
    case SIGKILL:
    case SIGUSR1:
    case SIGUSR2:
    case SIGPIPE:
    case SIGALRM:
    case SIGTERM:
    case SIGVTALRM:
    case SIGPROF:
    case SIGIO:
        return 1;
    default:
        return sig >= SIGSYS; /* real-time signals: wasi-libc has nothing for them */
    }
}

/* signal() tells what there was only by setting something else. */
static int
is_default(int sig)
{
    void (*handler)(int) = signal(sig, SIG_IGN);

    if (handler != SIG_ERR)
        signal(sig, handler);
    return handler == SIG_DFL || handler == SIG_ERR;
}

int
__wrap_raise(int sig)
{
    if (sig <= 0 || sig >= _NSIG) {
        errno = EINVAL;
        return -1;
    }
    if (is_default(sig) && ends_quietly(sig))
        _exit(128 + sig);
    return __real_raise(sig);
}

/* A signal can only come from the program itself, and takes effect at once. */
int
kill(pid_t pid, int sig)
{
    if (sig < 0 || sig >= _NSIG) {
        errno = EINVAL;
        return -1;
    }
    if (pid != getpid() && pid != 0 && pid != -getpid()) {
        errno = ESRCH;
        return -1;
    }
    return sig == 0 ? 0 : __wrap_raise(sig);
}
