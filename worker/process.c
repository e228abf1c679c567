#include "worker/process.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/zygote_protocol.h"

bool
process_may_move(enum process_state from, enum process_state to)
{
    static const bool legal[PROCESS_STATE_COUNT][PROCESS_STATE_COUNT] = {
        [PROCESS_FREE] = {[PROCESS_FORKING] = true},
        [PROCESS_FORKING] = {[PROCESS_WARM] = true, [PROCESS_FREE] = true},
        [PROCESS_WARM] = {[PROCESS_RUNNING] = true, [PROCESS_FREE] = true},
        [PROCESS_RUNNING] = {[PROCESS_FREE] = true},
    };

    return legal[from][to];
}

static void
move(struct process *process, enum process_state to)
{
    assert(process_may_move(process->state, to));
    process->state = to;
}

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void
process_init(struct process *process, uint32_t serial)
{
    *process =
        (struct process){.serial = serial, .socket_fd = -1, .pidfd = -1, .memory = {.fd = -1}};
}

int
process_prepare(struct process *process, const struct job_memory_sizes *sizes, int *theirs,
                struct err *err)
{
    int ends[2];

    if (job_memory_open_sized(&process->memory, sizes, err) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        int code = errno;
        job_memory_close(&process->memory);
        return err_set(err, ERR_SYSTEM, code, "cannot make a job's socket");
    }
    process->socket_fd = ends[0];
    *theirs = ends[1];
    move(process, PROCESS_FORKING);
    return 0;
}

void
process_forked(struct process *process, int pidfd)
{
    process->pidfd = pidfd;
    move(process, PROCESS_WARM);
}

void
process_dismiss(struct process *process)
{
    close_fd(&process->socket_fd);
}

int
process_go(struct process *process, const struct job_limits *limits, struct err *err)
{
    struct job_memory_header *header = process->memory.header;

    if (limits->output_bytes < process->memory.output_limit_bytes)
        process->memory.output_limit_bytes = limits->output_bytes;
    header->output_limit_bytes = process->memory.output_limit_bytes;
    header->memory_limit_bytes = (uint64_t)limits->memory_mb << 20;
    header->cpu_limit_us = (uint64_t)limits->cpu_ms * 1000;
    header->work_limit_bytes = limits->work_bytes;
    header->work_limit_files = limits->work_files;
    header->artifact_limit_count = limits->artifacts;
    header->artifact_limit_bytes = limits->artifact_bytes;
    header->artifact_limit_total_bytes = limits->artifacts_total_bytes;
    if (send(process->socket_fd, &(char){JOB_GO_BYTE}, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "the waiting job process is gone");
    move(process, PROCESS_RUNNING);
    return 0;
}

void
process_kill(struct process *process)
{
    if (process->pidfd >= 0)
        (void)pidfd_send_signal(process->pidfd, SIGKILL, NULL, 0);
}

void
process_ended(struct process *process, uint32_t serial_step)
{
    close_fd(&process->socket_fd);
    close_fd(&process->pidfd);
    job_memory_close(&process->memory);
    /* From the start again before it would wrap: 0 is nobody's, and a place is serial % step. */
    if (process->serial > UINT32_MAX - serial_step)
        process->serial %= serial_step;
    process->serial += serial_step;
    move(process, PROCESS_FREE);
}
