/* The worker's part of a zygote's user namespace. */
#ifndef RETORT_ID_MAPS_H
#define RETORT_ID_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

/*
 * Gives the user namespace of pid, which is new, one user and one group: uid, which is the host's
 * uid too where we may give it away (as root), and else our own. groups_dropped: the process has
 * no supplementary groups left, and is forbidden to set any; else that is forbidden only where the
 * kernel insists.
 */
int id_maps_write(pid_t pid, uint32_t uid, bool groups_dropped, struct err *err);

#endif
