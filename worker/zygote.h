/*
 * The worker's side of one zygote: starts it, restarts it, speaks zygote_protocol.h with it.
 *
 *     struct zygote_command command = ZYGOTE_COMMAND_INIT;
 *     zygote_command_for_image(&command, &image, &settings, &err);
 *     struct zygote *zygote = zygote_new(base, &command, &hooks, &err);
 *     ... hooks->on_ready ... zygote_fork(zygote, serial, socket, memfd, &err) ...
 *
 * Everything is on the libevent loop; nothing here blocks. A zygote that ends is started again
 * after a pause that doubles with each failure in a row.
 */
#ifndef RETORT_ZYGOTE_H
#define RETORT_ZYGOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "common/err.h"
#include "worker/cgroup.h"
#include "worker/image.h"
#include "worker/layers.h"
#include "worker/zygote_protocol.h"

/* What to start. Owns its strings: zygote_command_fini(). */
struct zygote_command {
    char *program;   /* path */
    char *tree_path; /* opened read-only as descriptor 4; NULL: none */
    char **argv;     /* NULL-terminated, argv[0] included */
    char **env;      /* NULL-terminated environment of the program itself; NULL: empty */
    size_t argc, envc;
    /* User and group to become as root, and to be called where there is a user namespace. */
    uint32_t uid;
    bool reads_proc; /* gets a descriptor of /proc, as number 5 */
    /* What a control group must have room for: memory of the zygote without jobs, of a job beside
     * what its limits say; processes and threads of all jobs, 0: one for each. */
    uint64_t own_bytes, job_bytes;
    uint32_t pids;
};

#define ZYGOTE_UID_DEFAULT 65534u
#define ZYGOTE_COMMAND_INIT                                                                        \
    {                                                                                              \
        .program = NULL, .uid = ZYGOTE_UID_DEFAULT                                                 \
    }

/* Program and tree (NULL: none) of a zygote that is to be given its arguments one by one. */
int zygote_command_init(struct zygote_command *command, const char *program, const char *tree_path,
                        struct err *err);
/* Appends one argument; the first is argv[0]. */
int zygote_command_add(struct zygote_command *command, const char *argument, struct err *err);
/* Appends NAME=VALUE to the program's own environment (not the guest's). */
int zygote_command_add_env(struct zygote_command *command, const char *name, const char *value,
                           struct err *err);
struct zygote_settings {
    uint32_t uid;        /* as in struct zygote_command */
    uint64_t work_bytes; /* the most that any job's limits allow */
    uint32_t work_files; /* the same */
};

/* The whole command of an image. */
int zygote_command_for_image(struct zygote_command *command, const struct image *image,
                             const struct zygote_settings *settings, struct err *err);
void zygote_command_fini(struct zygote_command *command);

/* Where a zygote's control group is made, and what it may have there. */
struct zygote_cgroup {
    struct cgroup_tree *tree; /* borrowed; NULL: it gets none */
    struct cgroup_limits limits;
};

struct zygote;

struct zygote_hooks {
    void (*on_ready)(void *context, uint64_t boot_us);
    /* Takes pidfd, which is -1 when this process had no descriptor left for it. */
    void (*on_forked)(void *context, uint32_t serial, int pidfd);
    /* event->type is ZYGOTE_EXITED, or ZYGOTE_FAILED: that fork did not happen. */
    void (*on_ended)(void *context, const struct zygote_event *event);
    /* The process is gone and every job process with it; another start is scheduled. */
    void (*on_death)(void *context, const struct err *err);
    void *context;
};

/*
 * Copies hooks and cgroup, borrows command until zygote_free(). The first start is made from the
 * loop, so that its failure reaches on_death too. NULL: out of memory.
 */
struct zygote *zygote_new(struct event_base *base, const struct zygote_command *command,
                          const struct zygote_cgroup *cgroup, const struct zygote_hooks *hooks,
                          struct err *err);
/* Kills the zygote, and so its job processes; calls no hook. */
void zygote_free(struct zygote *zygote);
/*
 * Lets a zygote without job processes end by itself; kills it when it does not. on_death, which may
 * then free it, tells when it has gone; it is not started again.
 */
void zygote_retire(struct zygote *zygote);
bool zygote_ready(const struct zygote *zygote);
/* Of the running zygote; -1 when there is none. */
int zygote_pid(const struct zygote *zygote);
/* Has the kernel killed a process of its control group for want of memory? Each is told once. */
bool zygote_explains_kill(struct zygote *zygote);
/* LAYER_COUNT of them, what its start could not have. Borrowed until it is started again. */
const struct layer_report *zygote_layer_reports(const struct zygote *zygote);
/* From on_ready: this process is not to be used. Its death follows, for that reason. */
void zygote_refuse(struct zygote *zygote, const struct err *why);
/* Asks for a job process; on_forked or on_ended follows, or on_death. Descriptors stay ours. */
int zygote_fork(struct zygote *zygote, uint32_t serial, int job_socket, int job_memory_fd,
                struct err *err);

#endif
