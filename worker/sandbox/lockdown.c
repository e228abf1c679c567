#include "worker/sandbox/lockdown.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "worker/zygote_protocol.h"

static int
close_descriptors(struct err *err)
{
    if (close_range(ZYGOTE_PROC_FD + 1, ~0u, 0) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot close inherited descriptors");
    return 0;
}

/*
 * exec keeps ignored signals ignored and blocked ones blocked, and the limits rely on signals. A
 * Ctrl-C in the worker's terminal, or a SIGTERM to all of its service, is not for us: the worker
 * decides whether running jobs may finish.
 */
static void
reset_signals(void)
{
    sigset_t none;

    for (int number = 1; number < SIGRTMAX; number++)
        signal(number, SIG_DFL);
    signal(SIGTERM, SIG_IGN);
    (void)setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int
lockdown_zygote(struct err *err)
{
    /* Not the name of the file, which is a number's on some kernels. */
    (void)prctl(PR_SET_NAME, "retort-zygote");
    if (close_descriptors(err) < 0)
        return -1;
    reset_signals();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot ask to die with the worker");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot set no_new_privs");
    return 0;
}

int
lockdown_hide(struct err *err)
{
    if (prctl(PR_SET_DUMPABLE, 0) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot forbid tracing");
    return 0;
}
