/*
 * A zygote's process between the worker's clone() and its own program. Here it gets its namespaces
 * and an empty root, and loses groups, user and capabilities, so that the program starts with
 * nothing to give up. docs/SECURITY.md has what each layer is for.
 *
 * Whatever the host does not permit is told to the worker by ZYGOTE_LAYER, and goes without; only
 * what would leave the program without its descriptors ends in ZYGOTE_FAILED.
 *
 *     root                                 any other user
 *     clone: pid                           clone: user, pid
 *     control group                        control group
 *     groups dropped                       id maps by the worker
 *     cgroup, ipc, uts, net, mount         cgroup, ipc, uts, net, mount
 *     empty root                           empty root
 *     user namespace, id maps              -
 *     user SANDBOX_UID, no capabilities    user SANDBOX_UID (as it sees it), no capabilities
 *
 * As root the user namespace comes last, so that no process in it has any power over the others.
 * All of this runs in a copy of the worker's memory: it makes system calls and nothing else, takes
 * no lock and allocates nothing.
 */
#ifndef RETORT_STAGE_H
#define RETORT_STAGE_H

#include <stdbool.h>
#include <stdint.h>

/* Above every number that the new process's descriptors get, so that no dup hits another. */
#define STAGE_FD_MIN 16

struct stage {
    /* Each at least STAGE_FD_MIN and close-on-exec; -1 in the last two: none. */
    int control_fd, tree_fd, null_fd, program_fd, proc_fd, cgroup_fd;
    const char *program; /* its name, for messages */
    char *const *argv, *const *env;
    uint32_t uid;         /* user and group to become, and to be called in a user namespace */
    bool own_user;        /* cloned into a user namespace */
    bool own_pid;         /* cloned into a pid namespace */
    int pid_errno;        /* why not */
    bool may_kill_others; /* the worker, processes of other users */
    bool needs_root;      /* it has an interpreter, or opens files: no empty root */
};

/* In the child. Ends in the program, or exits. */
_Noreturn void stage_run(const struct stage *stage);

#endif
