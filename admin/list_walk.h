/* Going through a list of Redis's in small steps. */
#ifndef RETORT_LIST_WALK_H
#define RETORT_LIST_WALK_H

#include "admin/session.h"

/* element: borrowed for the call; index: from the end that the walk began at. true: stop. */
typedef bool list_walk_fn(void *context, uint64_t index, const char *element, size_t size);

/*
 * Up to most elements, from the right end or the left. While others push and pop, one may be missed
 * or seen twice. -1: Redis is away, or something else than a list is there (PROTOCOL).
 */
int list_walk(struct session *session, const char *key, bool from_right, uint64_t most,
              list_walk_fn *visit, void *context, struct err *err);

#endif
