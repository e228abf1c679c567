#include "common/texts.h"

#include <stdlib.h>

static int
grow(struct texts *texts)
{
    size_t capacity = texts->capacity * 2 + 8;

    if (texts->count < texts->capacity)
        return 0;
    struct bytes *longer = realloc(texts->list, capacity * sizeof(*longer));
    if (!longer)
        return -1;
    texts->list = longer;
    texts->capacity = capacity;
    return 0;
}

int
texts_add(struct texts *texts, const void *data, size_t size)
{
    if (grow(texts) < 0 || bytes_copy(&texts->list[texts->count], data, size) < 0)
        return -1;
    texts->count++;
    return 0;
}

size_t
texts_bytes(const struct texts *texts)
{
    size_t total = 0;

    for (size_t i = 0; i < texts->count; i++)
        total += texts->list[i].size;
    return total;
}

void
texts_fini(struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        bytes_fini(&texts->list[i]);
    free(texts->list);
    *texts = (struct texts){0};
}
