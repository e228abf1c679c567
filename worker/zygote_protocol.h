/*
 * What a worker and a zygote say to each other, over one SOCK_SEQPACKET pair.
 *
 * The zygote is the image's native program, started as
 * `PROGRAM --zygote [--bootstrap] [--rehearsal TEXT] [--env NAME=VALUE]... [--work-bytes N]
 * [--work-files N] -- ARGV...` with its end of the pair as descriptor 3, the image's tree file as
 * descriptor 4 and, for the rehearsal, /proc as descriptor 5. Before that, in the same process, its
 * isolation is set up (stage.h), which says LAYER for each layer that could not be had and asks for
 * its id maps by MAPS. The program boots to the fork point and says READY. For each FORK it forks a
 * job process and answers FORKED with the process's pidfd; when the process has ended, EXITED with
 * what wait4() said. When the pair closes, the zygote kills its children and exits; when the zygote
 * dies, the kernel kills them (PR_SET_PDEATHSIG, and the pid namespace whose process 1 it is).
 * Process ids in events are those of the zygote's namespace.
 *
 *     worker                            zygote                         job process
 *       | FORK serial [socket, memfd] ---> |
 *       | <----- FORKED serial pid [pidfd] | ---- fork ----> locks itself down, waits
 *       | records, limits, go byte ----------------------------> runs, writes output
 *       | pidfd: SIGKILL at the wall clock ---------------------> X
 *       | <-- EXITED serial status rusage  | <--- SIGCHLD, wait4
 *
 * Every message is one fixed-size struct in host byte order: both ends are the same machine and
 * check ZYGOTE_PROTOCOL_VERSION in READY.
 */
#ifndef RETORT_ZYGOTE_PROTOCOL_H
#define RETORT_ZYGOTE_PROTOCOL_H

#include <stdint.h>

#define ZYGOTE_PROTOCOL_VERSION 2
#define ZYGOTE_CONTROL_FD       3
#define ZYGOTE_TREE_FD          4
#define ZYGOTE_PROC_FD          5

enum zygote_request_type {
    ZYGOTE_FORK = 1, /* with SCM_RIGHTS: [job socket, job memory] */
    ZYGOTE_MAPPED,   /* answers MAPS; serial is 0, or the errno of what failed */
};

struct zygote_request {
    uint32_t type;
    uint32_t serial; /* chosen by the worker; names the job process from here on */
};

enum zygote_event_type {
    ZYGOTE_READY = 1, /* serial 0; version, boot_us valid */
    ZYGOTE_FORKED,    /* pid valid; with SCM_RIGHTS: [pidfd] */
    ZYGOTE_EXITED,    /* status, cpu_us, max_rss_kib, minor_faults valid */
    ZYGOTE_FAILED,    /* sys_errno, denied_call, text valid; serial 0: the zygote cannot go on */
    ZYGOTE_LAYER,     /* could not be had; serial is enum layer; sys_errno (or 0), text say why */
    ZYGOTE_MAPS,      /* wants id maps; status 1: its supplementary groups are dropped already */
};

struct zygote_event {
    uint32_t type;
    uint32_t serial;
    uint32_t version;
    int32_t pid;
    int32_t status; /* as wait4() gives it */
    int32_t sys_errno;
    uint32_t denied_call; /* in FAILED: the system call that killed it, plus 1; or 0 */
    uint32_t padding;
    uint64_t boot_us; /* exec to fork point */
    uint64_t cpu_us;  /* user plus system */
    uint64_t max_rss_kib;
    uint64_t minor_faults;
    char text[256];
};

/* What the worker writes to the job's socket when the records and limits are in place. */
#define JOB_GO_BYTE 'g'

#endif
