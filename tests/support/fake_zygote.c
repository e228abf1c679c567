#include "tests/support/fake_zygote.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/job_memory.h"

#define FLAG       "--fake-zygote"
#define SERIAL_MAX 4096
#define TEXT_BYTES 128
#define FORGOTTEN  2 /* pidfds, of the "forgetful" one */

static pid_t pid_of[SERIAL_MAX]; /* by serial */

int
fake_zygote_command(struct zygote_command *command, const char *mode, struct err *err)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (length < 0)
        return -1;
    path[length] = '\0';
    if (zygote_command_init(command, path, NULL, err) < 0 ||
        zygote_command_add(command, path, err) < 0 || zygote_command_add(command, FLAG, err) < 0)
        return -1;
    return zygote_command_add(command, mode, err);
}

static void
say(const struct zygote_event *event, int fd)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {.iov_base = (void *)(uintptr_t)event, .iov_len = sizeof(*event)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    if (sendmsg(ZYGOTE_CONTROL_FD, &message, MSG_NOSIGNAL) < 0)
        _exit(0);
}

/* ---- the job process ---- */

static struct job_memory_header *
map_memory(int fd)
{
    struct job_memory_header first;

    if (pread(fd, &first, sizeof(first), 0) != (ssize_t)sizeof(first))
        _exit(98);
    void *mapped = mmap(NULL, first.total_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED)
        _exit(98);
    return mapped;
}

static void
print(struct job_memory_header *memory, const char *text, size_t repetitions)
{
    size_t length = strlen(text);
    char *to = (char *)memory + memory->output_offset[0];
    struct job_stream_counter *counter = &memory->output[0];

    for (size_t i = 0; i < repetitions; i++) {
        for (size_t n = 0; n < length; n++)
            if (counter->kept_bytes < memory->output_limit_bytes)
                to[counter->kept_bytes++] = text[n];
        counter->written_bytes += length;
    }
}

static _Noreturn void
leave_with_note(struct job_memory_header *memory, enum job_note note, int code)
{
    memory->note = (uint32_t)note;
    _exit(code);
}

/* By its default action: a sanitizer's handler would make an exit of it. */
static void
die_by(int number)
{
    signal(number, SIG_DFL);
    raise(number);
}

/* The jobs that do not end by an ordinary exit. */
static void
misbehave(struct job_memory_header *memory, const char *verb, const char *rest)
{
    if (strcmp(verb, "sleep") == 0)
        pause();
    while (strcmp(verb, "spin") == 0)
        atomic_signal_fence(memory_order_seq_cst);
    if (strcmp(verb, "trap") == 0) {
        memory->trap = (uint32_t)atoi(rest);
        memory->note = JOB_NOTE_TRAP;
        die_by(SIGILL);
    }
    if (strcmp(verb, "signal") == 0)
        die_by(atoi(rest));
}

static _Noreturn void
run_job(struct job_memory_header *memory)
{
    char text[TEXT_BYTES] = "", verb[TEXT_BYTES] = "", rest[TEXT_BYTES] = "";
    struct job_record_view view;
    uint64_t cursor = 0;

    if (job_memory_next_record(memory, &cursor, &view) == 1 && view.data_bytes < sizeof(text))
        memcpy(text, view.data, view.data_bytes);
    sscanf(text, "%127s %127[^\n]", verb, rest);
    misbehave(memory, verb, rest);
    if (strcmp(verb, "silent") == 0)
        _exit(0);
    if (strcmp(verb, "fail") == 0) {
        snprintf(memory->text, sizeof(memory->text), "%s", rest);
        leave_with_note(memory, JOB_NOTE_HOST_FAILURE, 125);
    }
    if (strcmp(verb, "memory") == 0) {
        memory->memory_refused = memory->memory_fatal = 1;
        leave_with_note(memory, JOB_NOTE_EXITED, 1);
    }
    if (strcmp(verb, "flood") == 0)
        print(memory, "\xc3\xa9", (size_t)atoi(rest) / 2);
    if (strcmp(verb, "print") == 0)
        print(memory, rest, 1);
    leave_with_note(memory, JOB_NOTE_EXITED, strcmp(verb, "exit") == 0 ? atoi(rest) : 0);
}

static _Noreturn void
job_main(const char *mode, int socket_fd, int memory_fd)
{
    struct job_memory_header *memory = map_memory(memory_fd);
    char byte;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (strcmp(mode, "stillborn") == 0) {
        snprintf(memory->text, sizeof(memory->text), "born too early");
        leave_with_note(memory, JOB_NOTE_HOST_FAILURE, 125);
    }
    if (read(socket_fd, &byte, 1) != 1)
        _exit(0);
    run_job(memory);
}

/* ---- the zygote ---- */

static void
serve_fork(const char *mode)
{
    static unsigned forks;
    char control[CMSG_SPACE(2 * sizeof(int))];
    struct zygote_request request;
    struct iovec part = {.iov_base = &request, .iov_len = sizeof(request)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    int fds[2];

    if (recvmsg(ZYGOTE_CONTROL_FD, &message, 0) <= 0)
        _exit(0);
    memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fds));
    if (strcmp(mode, "refusing") == 0) {
        struct zygote_event failed = {
            .type = ZYGOTE_FAILED, .serial = request.serial, .text = "no forks today"};
        say(&failed, -1);
    } else {
        struct zygote_event forked = {.type = ZYGOTE_FORKED, .serial = request.serial};
        forked.pid = fork();
        if (forked.pid == 0)
            job_main(mode, fds[0], fds[1]);
        int pidfd = pidfd_open(forked.pid, 0);
        pid_of[request.serial % SERIAL_MAX] = forked.pid;
        say(&forked, strcmp(mode, "forgetful") == 0 && forks++ < FORGOTTEN ? -1 : pidfd);
        close(pidfd);
    }
    close(fds[0]);
    close(fds[1]);
}

static void
report_ended(void)
{
    struct rusage usage;
    int status;
    pid_t pid;

    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        struct zygote_event event = {.type = ZYGOTE_EXITED,
                                     .status = status,
                                     .cpu_us = 7,
                                     .max_rss_kib = 5,
                                     .minor_faults = 3};
        while (pid_of[event.serial] != pid)
            event.serial++;
        pid_of[event.serial] = 0;
        say(&event, -1);
    }
}

static _Noreturn void
serve(const char *mode)
{
    struct signalfd_siginfo info;
    sigset_t ends;

    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    struct pollfd watched[] = {{.fd = signalfd(-1, &ends, 0), .events = POLLIN},
                               {.fd = ZYGOTE_CONTROL_FD, .events = POLLIN}};
    for (;;) {
        poll(watched, 2, -1);
        if (watched[0].revents != 0) {
            (void)!read(watched[0].fd, &info, sizeof(info));
            report_ended();
        }
        if (watched[1].revents != 0)
            serve_fork(mode);
    }
}

void
fake_zygote_main(int argc, char **argv)
{
    struct zygote_event ready = {
        .type = ZYGOTE_READY, .version = ZYGOTE_PROTOCOL_VERSION, .boot_us = 1234};
    struct zygote_event failed = {.type = ZYGOTE_FAILED, .text = "no luck"};

    if (argc != 3 || strcmp(argv[1], FLAG) != 0)
        return;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (strcmp(argv[2], "mute") == 0)
        _exit(3);
    if (strcmp(argv[2], "failing") == 0) {
        say(&failed, -1);
        pause();
    }
    if (strcmp(argv[2], "denied") == 0) {
        failed.denied_call = SYS_socket + 1;
        say(&failed, -1);
        pause();
    }
    if (strcmp(argv[2], "stranger") == 0)
        ready.version++;
    say(&ready, -1);
    serve(argv[2]);
}
