/*
 * Theory of operation
 *
 * runtime_spawn() prepares everything that can fail for want of memory, then forks. The child runs
 * start_runtime(): a list of steps that ends in execve(). A close-on-exec pipe tells the parent
 * how that went: end of file is success, one errno is failure.
 */
#include "worker/cli/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/cli/bootstrap.h"

#define ENVIRONMENT_MAX 4
#define PIPE_BYTES      (256 * 1024) /* fewer switches for programs that write much */

/* text with CLI_MEMORY_PLACEHOLDER, when it has one, replaced by bytes. */
static char *
fill_in(const char *text, uint64_t bytes)
{
    const char *at = strstr(text, CLI_MEMORY_PLACEHOLDER);
    char *filled;

    if (!at)
        return strdup(text);
    if (asprintf(&filled, "%.*s%" PRIu64 "%s", (int)(at - text), text, bytes,
                 at + strlen(CLI_MEMORY_PLACEHOLDER)) < 0)
        return NULL;
    return filled;
}

/* Takes word; a NULL word or a list without room leaves *count alone and says -1. */
static int
append(char **argv, size_t *count, char *word)
{
    if (!word)
        return -1;
    argv[(*count)++] = word;
    return 0;
}

static int
fill_argv(const struct runtime_start *start, char **argv)
{
    const struct cli_options *options = start->options;
    const char *bootstrap = start->small ? cli_bootstrap_small : cli_bootstrap;
    size_t count = 0;

    if (append(argv, &count, strdup(options->runtime)) < 0 ||
        append(argv, &count, strdup("run")) < 0)
        return -1;
    for (size_t i = 0; i < options->runtime_args_count; i++) {
        if (append(argv, &count, fill_in(options->runtime_args[i], start->limits.memory_bytes)) < 0)
            return -1;
    }
    if (append(argv, &count, strdup(options->module)) < 0 ||
        (start->separator && append(argv, &count, strdup("--")) < 0) ||
        (options->isolated && append(argv, &count, strdup("-I")) < 0) ||
        append(argv, &count, strdup("-c")) < 0 || append(argv, &count, strdup(bootstrap)) < 0)
        return -1;
    for (size_t i = 0; start->args[i]; i++) {
        if (append(argv, &count, strdup(start->args[i])) < 0)
            return -1;
    }
    return 0;
}

char **
runtime_argv(const struct runtime_start *start)
{
    const size_t fixed = 8; /* runtime, run, module, --, -I, -c, bootstrap, NULL */
    size_t args = 0;

    while (start->args[args])
        args++;
    char **argv = calloc(fixed + start->options->runtime_args_count + args, sizeof(char *));
    if (argv && fill_argv(start, argv) < 0) {
        runtime_argv_free(argv);
        argv = NULL;
    }
    return argv;
}

void
runtime_argv_free(char **argv)
{
    for (size_t i = 0; argv && argv[i]; i++)
        free(argv[i]);
    free(argv);
}

/* What the runtime's environment consists of: nothing of ours but PATH. */
struct environment {
    char *entries[ENVIRONMENT_MAX + 1]; /* NULL-terminated */
};

static int
environment_init(struct environment *environment, const char *home)
{
    const char *path = getenv("PATH");
    char **entries = environment->entries;

    if (asprintf(&entries[0], "PATH=%s", path ? path : "/usr/local/bin:/usr/bin:/bin") < 0 ||
        asprintf(&entries[1], "HOME=%s", home) < 0 || asprintf(&entries[2], "TMPDIR=%s", home) < 0)
        return -1;
    entries[3] = strdup("LANG=C.UTF-8");
    return entries[3] ? 0 : -1;
}

static void
environment_fini(struct environment *environment)
{
    for (size_t i = 0; i < ENVIRONMENT_MAX; i++)
        free(environment->entries[i]);
}

/* The ends that the child gets, and the pipe that it reports a failed step on. */
struct child {
    char **argv;
    char **environment;
    const char *home;
    const struct cli_limits *limits;
    pid_t parent;
    int standard_fd[3];
    int report_fd;
};

/* Moves the pipes to 0, 1 and 2; all else but the report is closed. */
static int
arrange_descriptors(struct child *child)
{
    for (int i = 0; i < 3; i++) {
        if (dup2(child->standard_fd[i], i) < 0)
            return -1;
    }
    if (child->report_fd != 3 && dup3(child->report_fd, 3, O_CLOEXEC) < 0)
        return -1;
    child->report_fd = 3;
    return (int)syscall(SYS_close_range, 4u, ~0u, 0u);
}

static int
reset_signals(void)
{
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL); /* fails for SIGKILL, SIGSTOP and libc's own: as it should */
    /* A write past RLIMIT_FSIZE then fails with EFBIG instead of killing the runtime. */
    (void)signal(SIGXFSZ, SIG_IGN);
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child. Only what is safe after fork. */
static _Noreturn void
start_runtime(struct child *child)
{
    /* First, so that no later moment is without it; then whether it came too late. */
    int failed = prctl(PR_SET_PDEATHSIG, SIGKILL) < 0;
    if (getppid() != child->parent)
        _exit(1);
    failed = failed || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0;
    failed = failed || chdir(child->home) < 0;
    failed = failed || arrange_descriptors(child) < 0;
    failed = failed || reset_signals() < 0;
    failed = failed || cli_limits_apply(child->limits) < 0; /* last: no step above may hit one */
    if (!failed)
        (void)execve(child->argv[0], child->argv, child->environment);
    int code = errno;
    (void)!write(child->report_fd, &code, sizeof(code));
    _exit(1);
}

struct pipes {
    int fd[4][2]; /* standard input, output, error; report. [0] read end, [1] write end */
};

static void
close_if_open(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int
pipes_open(struct pipes *pipes)
{
    for (int i = 0; i < 4; i++)
        pipes->fd[i][0] = pipes->fd[i][1] = -1;
    for (int i = 0; i < 4; i++) {
        if (pipe2(pipes->fd[i], O_CLOEXEC) < 0)
            return -1;
        (void)fcntl(pipes->fd[i][0], F_SETPIPE_SZ, PIPE_BYTES); /* only a matter of speed */
        int ours = i == 0 ? pipes->fd[i][1] : pipes->fd[i][0];
        if (i < 3 && fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
            return -1;
    }
    return 0;
}

static void
pipes_close(struct pipes *pipes)
{
    for (int i = 0; i < 4; i++) {
        close_if_open(&pipes->fd[i][0]);
        close_if_open(&pipes->fd[i][1]);
    }
}

/* After fork: 0 once the child has exec'd; the child is reaped when it could not. */
static int
await_exec(struct pipes *pipes, pid_t pid, const char *command, struct err *err)
{
    int code;

    for (int i = 0; i < 4; i++)
        close_if_open(&pipes->fd[i][i == 0 ? 0 : 1]);
    ssize_t got;
    do {
        got = read(pipes->fd[3][0], &code, sizeof(code));
    } while (got < 0 && errno == EINTR);
    if (got == 0)
        return 0;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return err_set(err, ERR_SANDBOX_ERROR, got == (ssize_t)sizeof(code) ? code : EIO,
                   "starting the WASI runtime %s", command);
}

static int
fork_runtime(struct child *child, struct pipes *pipes, struct runtime *runtime, struct err *err)
{
    child->parent = getpid();
    for (int i = 0; i < 3; i++)
        child->standard_fd[i] = pipes->fd[i][i == 0 ? 0 : 1];
    child->report_fd = pipes->fd[3][1];
    pid_t pid = fork();
    if (pid == 0)
        start_runtime(child);
    if (pid < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "forking for the WASI runtime");
    if (await_exec(pipes, pid, child->argv[0], err) < 0)
        return -1;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        int code = errno;
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return err_set(err, ERR_SANDBOX_ERROR, code, "opening a pidfd");
    }
    *runtime = (struct runtime){.pid = pid, .pidfd = pidfd};
    return 0;
}

/* Hands our ends of the pipes to runtime. */
static void
take_pipes(struct pipes *pipes, struct runtime *runtime)
{
    runtime->input_fd = pipes->fd[0][1];
    runtime->output_fd[0] = pipes->fd[1][0];
    runtime->output_fd[1] = pipes->fd[2][0];
    pipes->fd[0][1] = pipes->fd[1][0] = pipes->fd[2][0] = -1;
}

int
runtime_spawn(const struct runtime_start *start, struct runtime *runtime, struct err *err)
{
    struct environment environment = {{NULL}};
    struct pipes pipes;
    int result = -1;

    char **argv = runtime_argv(start);
    if (environment_init(&environment, start->home) < 0 || !argv) {
        err_set(err, ERR_SANDBOX_ERROR, ENOMEM, "preparing the WASI runtime");
    } else if (pipes_open(&pipes) < 0) {
        err_set(err, ERR_SANDBOX_ERROR, errno, "making pipes for the WASI runtime");
        pipes_close(&pipes);
    } else {
        struct child child = {.argv = argv,
                              .environment = environment.entries,
                              .home = start->home,
                              .limits = &start->limits};
        result = fork_runtime(&child, &pipes, runtime, err);
        if (result == 0)
            take_pipes(&pipes, runtime);
        pipes_close(&pipes);
    }
    runtime_argv_free(argv);
    environment_fini(&environment);
    return result;
}
