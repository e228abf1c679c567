/*
 * A list of strings, such as the arguments of a program.
 *
 *     struct texts texts = {0};
 *     if (texts_add(&texts, text, size) < 0) ...
 *     texts_fini(&texts);
 */
#ifndef RETORT_TEXTS_H
#define RETORT_TEXTS_H

#include <stddef.h>

#include "common/bytes.h"

struct texts {
    struct bytes *list; /* of count, with room for capacity */
    size_t count, capacity;
};

/* Copies. -1: out of memory. */
int texts_add(struct texts *texts, const void *data, size_t size);
/* Of all strings together. */
size_t texts_bytes(const struct texts *texts);
/* May be called twice. */
void texts_fini(struct texts *texts);

#endif
