/* What runs in a serving process, and nowhere else. */
#include "api/supervisor_internal.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/log.h"

static void
send_message(struct supervisor_report *report, const struct supervisor_message *message)
{
    /* A parent that is gone is told nothing; its end has ended this process too. */
    (void)!write(report->fd, message, sizeof(*message));
}

void
supervisor_report_serving(struct supervisor_report *report)
{
    const struct supervisor_message message = {.kind = SUPERVISOR_SERVES};
    send_message(report, &message);
}

/*
 * A terminal's Ctrl-C and hang-up reach all processes; what follows is the parent's to say. When
 * the parent dies, this one answers what runs and ends too.
 */
static void
take_orders(const struct supervisor_child *child)
{
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != child->parent)
        exit(EXIT_FAILURE);
    (void)sigprocmask(SIG_SETMASK, child->signals, NULL);
}

void
supervisor_child_run(const struct supervisor_child *child)
{
    struct supervisor_report report = {.fd = child->report_fd};
    struct supervisor_message failed = {.kind = SUPERVISOR_FAILED, .err = ERR_INIT};
    take_orders(child);
    const struct supervisor_options *options = child->options;
    if (options->serve(options->context, child->slot, &report, &failed.err) == 0)
        exit(EXIT_SUCCESS);
    send_message(&report, &failed);
    exit(EXIT_FAILURE);
}
