/* What a job process does between the fork and the guest's code, and at its end. */
#ifndef RETORT_SANDBOX_JOB_H
#define RETORT_SANDBOX_JOB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "worker/sandbox/pages.h"

struct job_start {
    int socket_fd;     /* a byte comes here when the job's records and limits are in place */
    int memory_fd;     /* struct job_memory_header */
    pid_t zygote_pid;  /* the parent, for as long as there is any use in running */
    bool replace_args; /* the guest has not started: its arguments are the job's */
    const struct page_list *pages; /* to be brought in while it waits, or NULL */
    struct page_list *learned;     /* a rehearsal, without a filter: filled at its end; or NULL */
};

/*
 * In the child, right after fork: locks the process down, waits for its job, makes it the guest's
 * world. Returns when the guest may go on; never returns on failure or when no job comes.
 */
void job_begin(const struct job_start *start);
/* The guest is done. */
__attribute__((noreturn)) void job_exit(uint32_t code);

#endif
