/*
 * The WASI preview 1 host: no host file system, no sockets, no processes behind it.
 *
 * State is static, one guest per process. Order of calls:
 *
 *     wasi_init(&config)      before boot: mounts the image's tree, sets arguments
 *     (guest boots; its first read of WASI_JOB_DEVICE calls hooks.await_job, which forks and
 *      returns in the child when a job is there, having called wasi_begin_job())
 *     wasi_begin_job(...)     in the child: input records become files, arguments, stdin
 *
 * The functions that the guest imports are the rows of worker/wasi/functions.def; the generated
 * code calls them as plain C functions wasi_<name>(). All memory they touch is reached through
 * engine_memory_at().
 */
#ifndef RETORT_WASI_H
#define RETORT_WASI_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "worker/engine/fiber.h"

/*
 * Reading this file is how a booted interpreter asks for its job; the read is the fork point.
 * It yields the job's arguments, each followed by NUL, argv[0] (the program's path) first.
 */
#define WASI_JOB_DEVICE  "/dev/job"
/*
 * One byte written here tells the host something that WASI has no call for:
 * 'M': the program dies of a memory error.
 */
#define WASI_NOTE_DEVICE "/dev/note"

/* Where bytes written to descriptors 1 and 2 go. Never blocks, never fails. */
struct wasi_sink {
    void (*write)(void *context, int stream, const void *data, size_t size); /* stream 0 or 1 */
    void *context;
};

struct wasi_hooks {
    void (*await_job)(void); /* the fork point; returns in the job process */
    __attribute__((noreturn)) void (*exit)(uint32_t code); /* proc_exit */
    void (*memory_fatal)(void);                            /* 'M' was written to the note device */
    /* A guest with fibers asks for one (worker/engine/fiber.h); NULL: there are none. */
    enum engine_fiber_answer (*fiber)(const struct fiber_request *request);
};

struct wasi_config {
    const char *const *argv; /* borrowed; NULL-terminated; argv[0] is the module's name */
    const char *const *env;  /* borrowed; NULL-terminated; NAME=value */
    const void *tree;        /* mapped image tree (worker/wasi/tree.h), or NULL for an empty one */
    size_t tree_bytes;
    /* The most that wasi_limit_job() may allow. */
    uint64_t work_limit_bytes; /* of all writable files together */
    uint32_t node_limit;       /* files, directories and links that the guest may make */
    struct wasi_sink sink;
    struct wasi_hooks hooks;
};

int wasi_init(const struct wasi_config *config, struct err *err);

struct job_memory_header;
/*
 * Makes the records of the job's input the guest's world: files (contents stay in the shared
 * memory until written to), stdin, and the arguments that WASI_JOB_DEVICE yields. With
 * replace_args, arguments and environment become those of args_get() too (modules without a
 * bootstrap, forked before _start).
 */
int wasi_begin_job(const struct job_memory_header *input, int replace_args, struct err *err);
/* After that: what this job may have of the configuration's limits, its input not counted. */
void wasi_limit_job(uint64_t work_limit_bytes, uint32_t node_limit);
/* What the host's tables and files take of address space, and may take of writable memory. */
uint64_t wasi_mapped_bytes(void);
uint64_t wasi_writable_bytes(void);

#endif
