/* A look at bytes from elsewhere before a parser allocates anything for what they announce. */
#ifndef RETORT_MSGPACK_SHAPE_H
#define RETORT_MSGPACK_SHAPE_H

#include <stddef.h>

#include "common/err.h"

/*
 * Whether data is exactly one msgpack value in which every length fits into what follows it,
 * nesting and entries per container stay within what messages of ours can have (8 and 256), and no
 * extension type occurs. -1 with PROTOCOL otherwise. Pure; allocates nothing.
 */
int msgpack_shape_check(const void *data, size_t size, struct err *err);

#endif
