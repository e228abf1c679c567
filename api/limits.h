/* What this process may have, held against what the settings promise. */
#ifndef RETORT_LIMITS_H
#define RETORT_LIMITS_H

#include "common/config.h"
#include "common/err.h"

/*
 * Raises the limit of open descriptors as far as it goes. -1: MAX_CONNECTIONS clients and the
 * connections to Redis of MAX_IN_FLIGHT requests do not fit into it.
 */
int limits_check_descriptors(const struct config *config, struct err *err);
/* -1: not even one body of MAX_BODY_BYTES fits into MAX_BODIES_BYTES. */
int limits_check_bodies(const struct config *config, struct err *err);

#endif
