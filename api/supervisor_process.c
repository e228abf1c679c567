#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/supervisor_internal.h"
#include "common/clock.h"
#include "common/log.h"

/* Longer than this no start takes. */
#define START_MS 30000

/* ---- in the child ------------------------------------------------------------------------- */

/* What only the parent uses. */
static void
close_of_parent(const struct process_start *start)
{
    close(start->signal_fd);
    for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++) {
        if (start->processes[i].state != PROCESS_NONE)
            close(start->processes[i].report_fd);
    }
}

static _Noreturn void
be_child(const struct process_start *start, struct supervisor_child child, int other_end)
{
    close_of_parent(start);
    close(other_end);
    child.options = start->options;
    child.signals = start->signals;
    supervisor_child_run(&child);
}

/* ---- in the parent ------------------------------------------------------------------------ */

uint64_t
process_deadline_us(uint64_t ms)
{
    return clock_monotonic_us() + ms * 1000;
}

static void
note(const struct process_start *start, struct process *process, pid_t pid, int report_fd)
{
    *process = (struct process){.state = PROCESS_STARTING,
                                .pid = pid,
                                .report_fd = report_fd,
                                .place = start->place,
                                .first = start->first,
                                .since_us = clock_monotonic_us(),
                                .kill_us = process_deadline_us(START_MS)};
    LOG(start->quiet ? LOG_DEBUG : LOG_INFO, "process_started", {"pid", LOG_INT(pid)},
        {"place", LOG_UINT(start->place)});
}

int
process_start(const struct process_start *start, unsigned slot, struct err *err)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return err_set(err, ERR_SYSTEM, errno, "making a pipe");
    pid_t pid = fork();
    if (pid == 0)
        be_child(start,
                 (struct supervisor_child){.slot = slot, .report_fd = ends[1], .parent = parent},
                 ends[0]);
    int sys_errno = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return err_set(err, ERR_SYSTEM, sys_errno, "forking");
    }
    note(start, &start->processes[slot], pid, ends[0]);
    return 0;
}

void
process_tell(struct process *process, int number, uint64_t patience_ms)
{
    process->state = PROCESS_LEAVING;
    process->kill_us = process_deadline_us(patience_ms);
    (void)kill(process->pid, number);
}

void
process_read_report(struct process *process)
{
    struct supervisor_message message;
    while (read(process->report_fd, &message, sizeof(message)) == (ssize_t)sizeof(message)) {
        if (message.kind == SUPERVISOR_FAILED) {
            process->failure = message.err;
        } else if (process->state == PROCESS_STARTING) {
            process->state = PROCESS_SERVING;
            process->kill_us = UINT64_MAX;
        }
    }
}

bool
process_holds_its_place(const struct process *process)
{
    return process->state == PROCESS_STARTING || process->state == PROCESS_SERVING;
}

void
process_log_ending(const struct process *process, int status, bool expected)
{
    char ending[64];
    if (WIFSIGNALED(status))
        snprintf(ending, sizeof(ending), "killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(ending, sizeof(ending), "ended with status %d", WEXITSTATUS(status));
    LOG(expected ? LOG_INFO : LOG_ERROR, "process_ended", {"pid", LOG_INT(process->pid)},
        {"place", LOG_UINT(process->place)}, {"ending", LOG_STR(ending)},
        {"message", LOG_STR(process->failure.code != ERR_NONE ? process->failure.text : NULL)});
}
