#include "worker/cli/trial.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/job_memory.h"
#include "worker/zygote_protocol.h"

#define TRIAL_TIMEOUT_MS   50000 /* the worker gives a zygote a minute */
#define TRIAL_INPUT_BYTES  4096
#define TRIAL_OUTPUT_BYTES 4096
#define TRIAL_PROGRAM      "print('ready')\n"
#define TRIAL_ANSWER       "ready\n"

static int
prepare(struct job_memory *memory, struct err *err)
{
    static const char path[] = "/work/main.py";

    if (job_memory_open(memory, TRIAL_INPUT_BYTES, TRIAL_OUTPUT_BYTES, err) < 0)
        return -1;
    memory->header->output_limit_bytes = TRIAL_OUTPUT_BYTES;
    memory->header->memory_limit_bytes = UINT32_MAX;
    return job_memory_add_record(memory, JOB_RECORD_FILE, path, TRIAL_PROGRAM,
                                 strlen(TRIAL_PROGRAM), err);
}

/* The last line of what it wrote to standard error: runtimes put the cause there. */
static const char *
last_line(const struct job_memory *memory, int *length)
{
    uint64_t dropped;
    size_t size;
    const char *text = job_memory_output(memory, 1, &size, &dropped);

    while (size > 0 && strchr("\n ", text[size - 1]))
        size--;
    size_t start = size;
    while (start > 0 && text[start - 1] != '\n')
        start--;
    *length = (int)(size - start);
    return text ? text + start : "";
}

/* 1: the program ran as it should. 0 and -1: see try_once(). */
static int
judge(const struct job_memory *memory, int status, struct err *err)
{
    uint64_t dropped;
    size_t size;
    const char *answer = job_memory_output(memory, 0, &size, &dropped);
    int length;
    const char *line = last_line(memory, &length);

    if (atomic_load(&memory->header->note) == JOB_NOTE_HOST_FAILURE)
        return err_set(err, ERR_SANDBOX_ERROR, 0, "%.*s", (int)sizeof(memory->header->text) - 1,
                       memory->header->text);
    if (WIFSIGNALED(status))
        return err_set(err, ERR_SANDBOX_ERROR, 0,
                       "The WASI runtime was ended by signal %d in a trial run.", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        (void)err_set(err, ERR_SANDBOX_ERROR, 0, "code %d, %.*s", WEXITSTATUS(status), length,
                      line);
    else if (size != strlen(TRIAL_ANSWER) || memcmp(answer, TRIAL_ANSWER, size) != 0)
        (void)err_set(err, ERR_SANDBOX_ERROR, 0, "print('ready') did not write that");
    else
        return 1;
    return 0;
}

/* 0 when the process has ended. */
static int
await_end(pid_t pid, int control_fd, struct err *err)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN},
                           {.fd = control_fd, .events = POLLRDHUP}};
    int ready;

    do {
        ready = poll(fds, 2, TRIAL_TIMEOUT_MS);
    } while (ready < 0 && errno == EINTR);
    if (pidfd >= 0)
        close(pidfd);
    if (ready > 0 && fds[0].revents)
        return 0;
    return err_set(err, ERR_SANDBOX_ERROR, 0, "%s",
                   ready == 0 ? "The WASI runtime did not end a trial run within 50 s."
                              : "The worker went away during the trial run.");
}

static int
run_pump(const struct pump *template, const struct job_memory *memory, int control_fd, int *status,
         struct err *err)
{
    struct pump pump = *template;
    int sockets[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        return err_set(err, ERR_SYSTEM, errno, "making a socket pair");
    pump.trial = true;
    pump.job_socket_fd = sockets[1];
    pump.job_memory_fd = memory->fd;
    pid_t pid = fork();
    if (pid == 0)
        pump_run(&pump);
    close(sockets[1]);
    int result = -1;
    if (pid < 0)
        err_set(err, ERR_SYSTEM, errno, "forking");
    else if (write(sockets[0], &(char){JOB_GO_BYTE}, 1) != 1)
        err_set(err, ERR_SYSTEM, errno, "starting a trial run");
    else
        result = await_end(pid, control_fd, err);
    close(sockets[0]);
    if (pid > 0) {
        (void)setpgid(pid, pid);
        (void)kill(-pid, SIGKILL); /* no more than a formality when it has ended */
        (void)waitpid(pid, status, 0);
    }
    return result;
}

/* 1: it worked, 0: it ran, to another end (err says which), -1: there is no point in going on. */
static int
try_once(const struct pump *template, int control_fd, struct err *err)
{
    struct job_memory memory = {.fd = -1};
    int result = -1;
    int status = 0;

    if (prepare(&memory, err) == 0 && run_pump(template, &memory, control_fd, &status, err) == 0)
        result = judge(&memory, status, err);
    job_memory_close(&memory);
    return result;
}

/* What is tried, in this order: CPython first. */
static const struct form {
    bool separator, small;
} forms[] = {{true, false}, {false, false}, {true, true}, {false, true}};
#define FORM_COUNT (sizeof(forms) / sizeof(forms[0]))

int
trial_run(struct pump *pump, int control_fd, struct err *err)
{
    struct err found[FORM_COUNT] = {ERR_INIT};

    for (size_t i = 0; i < FORM_COUNT; i++) {
        pump->separator = forms[i].separator;
        pump->small = forms[i].small;
        int result = try_once(pump, control_fd, &found[i]);
        if (result > 0)
            return 0;
        if (result < 0) {
            *err = found[i];
            return -1;
        }
    }
    return err_set(err, ERR_SANDBOX_ERROR, 0,
                   "A trial run failed; with -- before the arguments: %.90s; without: %.90s",
                   found[0].text, found[1].text);
}
