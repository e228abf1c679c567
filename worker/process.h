/*
 * One place of the pool: what the worker holds of one job process, from the wish for a fork to
 * its end. The pool reuses the place, never the process, its socket or its memory.
 *
 *     FREE ──fork asked──▶ FORKING ──pidfd is here──▶ WARM ──go byte──▶ RUNNING
 *      ▲                      │                        │                  │
 *      └──────────ended───────┴───────────ended────────┴──────ended───────┘
 */
#ifndef RETORT_PROCESS_H
#define RETORT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/job.h"
#include "worker/job_memory.h"

enum process_state {
    PROCESS_FREE = 0,
    PROCESS_FORKING, /* asked of the zygote; the memory is there already */
    PROCESS_WARM,    /* waits for a job */
    PROCESS_RUNNING, /* has got its go byte, and has not been reported as ended */
    PROCESS_STATE_COUNT
};

struct process {
    enum process_state state;
    uint32_t serial; /* names it to the zygote; another one for each use of the place */
    int socket_fd;   /* our end; closing it ends a process that waits. -1: none */
    int pidfd;       /* -1 until WARM */
    struct job_memory memory;
};

/* May a process go from one state to the other? */
bool process_may_move(enum process_state from, enum process_state to);

/* An empty place; serial is that of its first use. */
void process_init(struct process *process, uint32_t serial);
/*
 * FREE to FORKING: makes memory and socket. *theirs is the end of the socket for the zygote; the
 * caller closes it.
 */
int process_prepare(struct process *process, const struct job_memory_sizes *sizes, int *theirs,
                    struct err *err);
/* FORKING to WARM. Takes pidfd. */
void process_forked(struct process *process, int pidfd);
/* Lets a process that waits, or is about to, end by itself. */
void process_dismiss(struct process *process);
/* WARM to RUNNING: sets the limits and sends the go byte. The records are in its memory. */
int process_go(struct process *process, const struct job_limits *limits, struct err *err);
/* SIGKILL, by pidfd: reaches this process or none. */
void process_kill(struct process *process);
/* Back to FREE; the next use has serial + serial_step, or the same modulo serial_step. */
void process_ended(struct process *process, uint32_t serial_step);

#endif
