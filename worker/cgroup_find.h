/* Where a process's control group (version 2) stands in the file system: pure, over texts of /proc.
 */
#ifndef RETORT_CGROUP_FIND_H
#define RETORT_CGROUP_FIND_H

#include "common/err.h"

#define CGROUP_PATH_SIZE 4096 /* of a path, its NUL included */

/*
 * membership: /proc/PID/cgroup, mounts: /proc/self/mountinfo, both NUL-terminated and read by the
 * same process, since both are told from its cgroup namespace. -1: it has no directory here, and
 * err says why.
 */
int cgroup_find(const char *membership, const char *mounts, char path[CGROUP_PATH_SIZE],
                struct err *err);

#endif
