/* What the files of the supervisor share. */
#ifndef RETORT_SUPERVISOR_INTERNAL_H
#define RETORT_SUPERVISOR_INTERNAL_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "api/supervisor.h"

/* What comes through a process's pipe: written at once, and so read whole. */
struct supervisor_message {
    enum { SUPERVISOR_SERVES = 1, SUPERVISOR_FAILED } kind;
    struct err err; /* of SUPERVISOR_FAILED */
};

/* All that a serving process has of its parent. */
struct supervisor_child {
    const struct supervisor_options *options;
    unsigned slot;
    int report_fd; /* writes */
    pid_t parent;
    const sigset_t *signals; /* as they were blocked before the parent's own were */
};

/* A serving process, from fork() to exit(). */
_Noreturn void supervisor_child_run(const struct supervisor_child *child);

/* ---- supervisor_process.c: the same, as its parent sees it ---- */

enum process_state { PROCESS_NONE, PROCESS_STARTING, PROCESS_SERVING, PROCESS_LEAVING };

struct process {
    enum process_state state;
    pid_t pid;
    int report_fd; /* reads */
    unsigned place;
    bool first;         /* of its place since the start of all */
    struct err failure; /* what it said of its end; ERR_NONE: nothing */
    uint64_t since_us;  /* monotonic: when it was forked */
    uint64_t kill_us;   /* monotonic: it is ended by force; UINT64_MAX: never */
};

struct process_start {
    const struct supervisor_options *options;
    struct process *processes; /* of all slots */
    int signal_fd;             /* the parent's */
    const sigset_t *signals;   /* blocked before the parent's own were */
    unsigned place;
    bool first;
    bool quiet; /* no line in the log */
};

/* Monotonic: so long from now. */
uint64_t process_deadline_us(uint64_t ms);
/* Forks the process of a slot that is free. */
int process_start(const struct process_start *start, unsigned slot, struct err *err);
/* Sends it the signal that lets it leave; after patience_ms it is ended by force. */
void process_tell(struct process *process, int number, uint64_t patience_ms);
/* Takes what it has told. Does not block. */
void process_read_report(struct process *process);
/* Not one that leaves. */
bool process_holds_its_place(const struct process *process);
void process_log_ending(const struct process *process, int status, bool expected);

#endif
