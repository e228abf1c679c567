#include "worker/sandbox/rehearsal.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/job_memory.h"
#include "worker/sandbox/job.h"
#include "worker/zygote_protocol.h"

#define PROGRAM_PATH       "/work/main.py"
#define OUTPUT_BYTES       65536
#define INPUT_SLACK_BYTES  4096
#define CPU_LIMIT_US       2000000
#define MEMORY_LIMIT_BYTES (UINT64_C(256) << 20)
#define WORK_LIMIT_BYTES   (UINT64_C(1) << 20)
#define WORK_LIMIT_FILES   100

static int
write_job(struct job_memory *memory, const char *text, struct err *err)
{
    struct job_memory_header *header;
    size_t bytes = strlen(text);

    if (job_memory_open(memory, bytes + INPUT_SLACK_BYTES, OUTPUT_BYTES, err) < 0)
        return -1;
    header = memory->header;
    header->output_limit_bytes = OUTPUT_BYTES;
    header->memory_limit_bytes = MEMORY_LIMIT_BYTES;
    header->cpu_limit_us = CPU_LIMIT_US;
    header->work_limit_bytes = WORK_LIMIT_BYTES;
    header->work_limit_files = WORK_LIMIT_FILES;
    if (job_memory_add_record(memory, JOB_RECORD_ARG, NULL, PROGRAM_PATH, strlen(PROGRAM_PATH),
                              err) < 0)
        return -1;
    if (job_memory_add_record(memory, JOB_RECORD_FILE, PROGRAM_PATH, text, bytes, err) < 0)
        return -1;
    return job_memory_add_record(memory, JOB_RECORD_STDIN, NULL, NULL, 0, err);
}

/*
 * A list that the rehearsing process writes and the zygote reads. Gone before the first job is
 * forked: what jobs could write to and share would let one of them act on the next.
 */
static struct page_list *
shared_list(void)
{
    void *mapped = mmap(NULL, sizeof(struct page_list), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return mapped != MAP_FAILED ? mapped : NULL;
}

/* True in the process that rehearses. */
static bool
fork_rehearsal(const struct job_memory *memory, bool replace_args, struct page_list *list)
{
    struct job_start start = {.memory_fd = memory->fd,
                              .zygote_pid = getpid(),
                              .replace_args = replace_args,
                              .learned = list};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return false;
    start.socket_fd = ends[1];
    /* The go byte waits in the socket already. */
    pid_t pid = send(ends[0], &(char){JOB_GO_BYTE}, 1, MSG_NOSIGNAL) == 1 ? fork() : -1;
    if (pid == 0) {
        job_begin(&start);
        return true;
    }
    if (pid > 0)
        (void)waitpid(pid, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    return false;
}

bool
rehearsal_run(const char *text, bool replace_args, const struct page_list **pages)
{
    static struct page_list learned;
    struct job_memory memory = {.fd = -1};
    struct err err = ERR_INIT;
    struct page_list *list = shared_list();
    bool rehearsing = false;

    *pages = NULL;
    if (list == NULL)
        return false;
    if (write_job(&memory, text, &err) == 0)
        rehearsing = fork_rehearsal(&memory, replace_args, list);
    if (rehearsing)
        return true;
    job_memory_close(&memory);
    if (list->count > 0) {
        learned = *list;
        *pages = &learned;
    }
    munmap(list, sizeof(*list));
    return false;
}
