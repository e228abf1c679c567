/*
 * Theory of operation
 *
 * One pump per job, forked by the supervisor ahead of need. It waits for the go byte on its job
 * socket; end of file there means that no job will come. Then it starts the runtime and moves
 * bytes until that has ended:
 *
 *     job memory: program, stdin ──▶ "<size>\n" program stdin ──▶ runtime's standard input
 *     job memory: output areas   ◀── bounded, the rest counted ◀── its standard output and error
 *
 * Nothing here waits for anything but the runtime, so it cannot be blocked by output that nobody
 * wants, nor block on input that the program does not read. When the runtime has ended the pump
 * ends the same way: with its exit code, or by its signal. wait4() on the pump then counts the
 * runtime's time and memory too, since the pump has waited for it.
 *
 * Killed (wall clock): the kernel kills the runtime with it, by PR_SET_PDEATHSIG; the supervisor
 * kills what else is in the pump's process group, and reaps.
 */
#include "worker/cli/pump.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/cli/limits.h"
#include "worker/cli/runtime.h"
#include "worker/job_memory.h"
#include "worker/zygote_protocol.h"

#define PROGRAM_PATH "/work/main.py"
#define ARGS_MAX     1024

struct program {
    struct job_record_view code;
    struct job_record_view input;
    const char *args[ARGS_MAX + 1]; /* without argv[0] */
    size_t arg_count;
};

/* The one way out when we fail. */
static _Noreturn void __attribute__((format(printf, 2, 3)))
fail(struct job_memory_header *header, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(header->text, sizeof(header->text), format, args);
    va_end(args);
    atomic_store(&header->note, JOB_NOTE_HOST_FAILURE);
    _exit(1);
}

/* Before there is memory to report in: the worker sees a job process that ended without a note. */
static struct job_memory_header *
map_memory(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || st.st_size < JOB_MEMORY_HEADER_BYTES)
        _exit(1);
    void *memory = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        _exit(1);
    struct job_memory_header *header = memory;
    if (header->version != JOB_MEMORY_VERSION || header->total_bytes > (uint64_t)st.st_size)
        _exit(1);
    close(fd);
    return header;
}

static void
await_go(int fd)
{
    char byte;
    ssize_t got;

    do {
        got = read(fd, &byte, 1);
    } while (got < 0 && errno == EINTR);
    if (got != 1 || byte != JOB_GO_BYTE)
        _exit(0);
}

static int
take_arg(struct program *program, const struct job_record_view *view, size_t index)
{
    if (index == 0)
        return 0; /* argv[0], which the bootstrap sets by itself */
    if (program->arg_count == ARGS_MAX)
        return -1;
    char *copy = strndup(view->data, view->data_bytes);
    if (!copy)
        return -1;
    program->args[program->arg_count++] = copy;
    return 0;
}

static bool
is_program(const struct job_record_view *view)
{
    return view->name_bytes == strlen(PROGRAM_PATH) &&
           memcmp(view->name, PROGRAM_PATH, view->name_bytes) == 0;
}

static void
read_program(struct job_memory_header *header, struct program *program)
{
    struct job_record_view view;
    uint64_t cursor = 0;
    size_t arg_index = 0;
    int more;

    while ((more = job_memory_next_record(header, &cursor, &view)) > 0) {
        switch (view.type) {
        case JOB_RECORD_ARG:
            if (take_arg(program, &view, arg_index++) < 0)
                fail(header, "The cli engine passes at most %d arguments.", ARGS_MAX);
            break;
        case JOB_RECORD_FILE:
            if (!is_program(&view))
                fail(header, "The cli engine has no files but the program.");
            program->code = view;
            break;
        case JOB_RECORD_STDIN:
            program->input = view;
            break;
        case JOB_RECORD_ENV:
        case JOB_RECORD_DIR:
            fail(header, "The cli engine passes no environment and no directories.");
        }
    }
    if (more < 0)
        fail(header, "The job's input records are damaged.");
}

/* What is still to be written to the runtime's standard input. */
struct feed {
    char head[24]; /* byte count of the program, newline */
    struct iovec parts[3];
    int next;
};

static void
feed_init(struct feed *feed, const struct program *program)
{
    int length = snprintf(feed->head, sizeof(feed->head), "%zu\n", program->code.data_bytes);

    feed->parts[0] = (struct iovec){feed->head, (size_t)length};
    feed->parts[1] = (struct iovec){(char *)program->code.data, program->code.data_bytes};
    feed->parts[2] = (struct iovec){(char *)program->input.data, program->input.data_bytes};
    feed->next = 0;
}

/* Writes what fits. Closes *fd at the end, and when the runtime reads no more. */
static void
feed_write(struct feed *feed, int *fd)
{
    while (feed->next < 3) {
        ssize_t wrote = writev(*fd, &feed->parts[feed->next], 3 - feed->next);
        if (wrote < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (wrote < 0)
            break;
        size_t left = (size_t)wrote;
        while (feed->next < 3 && left >= feed->parts[feed->next].iov_len)
            left -= feed->parts[feed->next++].iov_len;
        if (feed->next < 3) {
            feed->parts[feed->next].iov_base = (char *)feed->parts[feed->next].iov_base + left;
            feed->parts[feed->next].iov_len -= left;
        }
    }
    close(*fd);
    *fd = -1;
}

/* Reads all that is there now. Closes *fd at end of file. */
static void
drain(struct job_memory_header *header, int stream, int *fd)
{
    static char spill[65536]; /* what exceeds the limit goes here, and nowhere */
    struct job_stream_counter *counter = &header->output[stream];
    char *area = (char *)header + header->output_offset[stream];

    for (;;) {
        uint64_t kept = atomic_load(&counter->kept_bytes);
        size_t room = (size_t)(header->output_limit_bytes - kept);
        ssize_t got = room ? read(*fd, area + kept, room) : read(*fd, spill, sizeof(spill));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0)
            break;
        if (room)
            atomic_fetch_add(&counter->kept_bytes, (uint64_t)got);
        atomic_fetch_add(&counter->written_bytes, (uint64_t)got);
    }
    close(*fd);
    *fd = -1;
}

/* Moves bytes until the runtime has ended and its pipes are empty. */
static void
pump_bytes(struct job_memory_header *header, struct runtime *runtime, struct feed *feed)
{
    bool ended = false;

    while (!ended) {
        struct pollfd fds[] = {
            {.fd = runtime->output_fd[0], .events = POLLIN},
            {.fd = runtime->output_fd[1], .events = POLLIN},
            {.fd = runtime->input_fd, .events = POLLOUT},
            {.fd = runtime->pidfd, .events = POLLIN},
        };
        if (poll(fds, 4, -1) < 0) {
            if (errno == EINTR)
                continue;
            fail(header, "Waiting for the WASI runtime failed: %s.", strerror(errno));
        }
        /* Before draining: what it wrote until then is in the pipes, and will be read. */
        ended = fds[3].revents != 0;
        for (int stream = 0; stream < 2; stream++) {
            if (runtime->output_fd[stream] >= 0 && (ended || fds[stream].revents))
                drain(header, stream, &runtime->output_fd[stream]);
        }
        if (runtime->input_fd >= 0 && fds[2].revents)
            feed_write(feed, &runtime->input_fd);
    }
}

/* Ends this process as the runtime has ended. */
static _Noreturn void
end_like(struct job_memory_header *header, pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            fail(header, "Waiting for the WASI runtime failed: %s.", strerror(errno));
    }
    if (WIFSIGNALED(status)) {
        int number = WTERMSIG(status);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, number);
        (void)signal(number, SIG_DFL);
        (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
        (void)kill(getpid(), number);
        fail(header, "The WASI runtime was ended by signal %d.", number);
    }
    atomic_store(&header->exit_code, (uint32_t)WEXITSTATUS(status));
    atomic_store(&header->note, JOB_NOTE_EXITED);
    _exit(WEXITSTATUS(status));
}

/* Leaves descriptors 0 to 2 and the job's two. */
static void
keep_descriptors(struct pump *pump)
{
    int low = pump->job_socket_fd < pump->job_memory_fd ? pump->job_socket_fd : pump->job_memory_fd;
    int high = pump->job_socket_fd + pump->job_memory_fd - low;

    if (low > 3)
        (void)close_range(3, (unsigned)low - 1, 0);
    if (high > low + 1)
        (void)close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    (void)close_range((unsigned)high + 1, ~0u, 0);
}

static void
settle(struct pump *pump)
{
    /* First, so that no later moment is without it; then whether it came too late. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != pump->supervisor)
        _exit(1);
    (void)setpgid(0, 0); /* the supervisor does it too: whoever comes first */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGTERM, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &pump->signals, NULL);
    keep_descriptors(pump);
    if (!pump->trial && cli_limits_apply_fixed() < 0)
        _exit(1);
}

void
pump_run(const struct pump *given)
{
    struct pump pump = *given;
    struct program program = {0};
    struct err err = ERR_INIT;
    struct runtime runtime;
    struct feed feed = {.next = 0};

    settle(&pump);
    struct job_memory_header *header = map_memory(pump.job_memory_fd);
    await_go(pump.job_socket_fd);
    if (header->output_limit_bytes > header->output_capacity)
        fail(header, "The job's output limit exceeds its memory.");
    read_program(header, &program);
    const struct runtime_start start = {
        .options = pump.options,
        .home = pump.home,
        .separator = pump.separator,
        .small = pump.small,
        .args = program.args,
        .limits = {.cpu_us = header->cpu_limit_us,
                   .memory_bytes = header->memory_limit_bytes,
                   .own_uid = pump.options->uid != 0,
                   .trial = pump.trial},
    };
    if (runtime_spawn(&start, &runtime, &err) < 0)
        fail(header, "%s", err.text);
    feed_init(&feed, &program);
    pump_bytes(header, &runtime, &feed);
    end_like(header, runtime.pid);
}
