/*
 * Whether a Redis server can carry the queue: what would lose jobs or cannot work at all is found
 * in its INFO before anything is accepted, rather than under load.
 */
#ifndef RETORT_REDIS_FITNESS_H
#define RETORT_REDIS_FITNESS_H

#include <stdint.h>

#include "common/err.h"

/*
 * info: the reply to INFO, NUL-terminated. connections: how many this process may open. -1 and
 * ERR_CONFIG with a sentence that says what to set: a version before 6.2, Cluster mode, a read-only
 * replica, an eviction policy that may drop keys once maxmemory is reached, maxclients below
 * connections. What INFO does not say is taken to be fine.
 */
int redis_fitness_check(const char *info, uint32_t connections, struct err *err);

#endif
