/*
 * Control groups (version 2): what the kernel lets a zygote have together with all its jobs, where
 * the directory that the worker starts in is its own to divide (delegated).
 *
 *     DIRECTORY                 the worker's when it starts; its children have memory and pids
 *      ├─ retort-worker         where it moves: a group that has children with limits has no
 * process ├─ retort-zygote-PID-1   a zygote and its jobs └─ retort-zygote-PID-2   the next one
 *
 * The process of a zygote enters its group before anything else (stage.c), so that it counts what
 * follows, and can never leave it: it sees no file. Job processes are born there, at no cost; a
 * group for each job would cost it more than a millisecond, most of it for the move.
 *
 * No cpu controller: between a worker and its zygotes it would weigh each zygote, with all its
 * jobs, as much as the worker; jobs are nice already, which puts each of them behind the worker and
 * behind what else the host does.
 *
 * The worker holds a lock on each group in use. Whoever can have the lock of one that is named like
 * these may remove it: whose it was is gone. The kernel removes none that holds a process.
 */
#ifndef RETORT_CGROUP_H
#define RETORT_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "worker/cgroup_find.h"
#include "worker/layers.h"

enum cgroup_controller { CGROUP_MEMORY, CGROUP_PIDS, CGROUP_CONTROLLER_COUNT };

/* Of one zygote and all its jobs together. */
struct cgroup_limits {
    uint64_t memory_bytes;
    uint64_t pids; /* processes and threads */
};

/* The directory. */
struct cgroup_tree {
    int fd;        /* -1: no group can be made */
    uint32_t made; /* groups, for their names */
    bool moved;    /* the worker is in a group that this tree made */
    /* Why a controller is missing; not told: it is not. */
    struct layer_report missing[CGROUP_CONTROLLER_COUNT];
};

/* One group in it. */
struct cgroup {
    int fd; /* of its directory, locked; -1: there is none */
    char name[40];
    uint64_t kills_told;
};

#define CGROUP_INIT                                                                                \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/*
 * Moves this process, if it is alone in its group, into one below, and divides the directory.
 * Never fails: what cannot be had is in missing, and leaves no trace. For start-up.
 */
void cgroup_tree_open(struct cgroup_tree *tree);
/* After the last cgroup_end(): removes the groups, and moves back. Blocks, at most 0.1 s. */
void cgroup_tree_close(struct cgroup_tree *tree);

/*
 * Makes a group with these limits. reports (LAYER_COUNT) get what is missing; then group may have
 * fewer limits, or not be there at all. Removes those that are in use no more.
 */
void cgroup_make(struct cgroup *group, struct cgroup_tree *tree, const struct cgroup_limits *limits,
                 struct layer_report *reports);
/* A descriptor that moves whoever writes "0" into it. -1: there is no group, or errno. */
int cgroup_open_door(const struct cgroup *group);
/* Kills what is left in it, removes it (or leaves that to the next cgroup_make()). */
void cgroup_end(struct cgroup *group, struct cgroup_tree *tree);
/* Has the kernel killed a process of it for want of memory? Each kill is told once. */
bool cgroup_explains_kill(struct cgroup *group);

/* The directory of a process's group; pid 0: this process's. */
int cgroup_path_of(pid_t pid, char path[CGROUP_PATH_SIZE], struct err *err);

#endif
