/*
 * retort-cli-zygote: the fallback engine. A zygote to the worker, a supervisor of WASI runtimes
 * to the machine. Order: command line, privileges dropped, what it needs found, a private
 * directory, service; every failure is told to the worker as FAILED.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/daemon_filter.h"
#include "worker/cli/control.h"
#include "worker/cli/home.h"
#include "worker/cli/options.h"
#include "worker/cli/supervisor.h"

/* For good: with no_new_privs not even a set-user-id runtime gets anything back. */
static int
drop_privileges(uid_t uid, struct err *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_set(err, ERR_SYSTEM, errno, "setting no_new_privs");
    if (uid == 0 || geteuid() != 0)
        return 0;
    if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
        return err_set(err, ERR_SYSTEM, errno, "becoming user id %u", (unsigned)uid);
    return 0;
}

static void
report(const struct err *err)
{
    struct zygote_event event = {.type = ZYGOTE_FAILED, .sys_errno = err->sys_errno};

    (void)snprintf(event.text, sizeof(event.text), "%.*s", (int)sizeof(event.text) - 1, err->text);
    if (control_send(ZYGOTE_CONTROL_FD, &event, -1) < 0)
        fprintf(stderr, "retort-cli-zygote: %s\n", err->text);
}

static int
serve(struct cli_options *options, struct err *err)
{
    umask(077);
    if (drop_privileges(options->uid, err) < 0 || cli_options_resolve(options, err) < 0)
        return -1;
    struct cli_home home;
    struct err refused = ERR_INIT;
    /* Without seccomp it goes on; the layers show it. */
    (void)daemon_lock_down(DAEMON_RUNTIME, &refused);
    if (cli_home_make(&home, err) < 0)
        return -1;
    int result = supervisor_run(options, home.path, ZYGOTE_CONTROL_FD, err);
    cli_home_remove(&home);
    return result;
}

int
main(int argc, char **argv)
{
    struct cli_options options;
    struct err err = ERR_INIT;

    int result = cli_options_parse(&options, argc, argv, &err);
    if (result == 0)
        result = serve(&options, &err);
    if (result < 0)
        report(&err);
    cli_options_fini(&options);
    return result < 0;
}
