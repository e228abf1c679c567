/* How many descriptors this process may have open. */
#ifndef RETORT_DESCRIPTORS_H
#define RETORT_DESCRIPTORS_H

#include <stdint.h>

/*
 * Raises the limit as far as this process may, for good, and returns it. (The usual soft limit of
 * 1,024 is for programs with select().) UINT64_MAX when there is none, or it cannot be known.
 */
uint64_t descriptors_raise_limit(void);

#endif
