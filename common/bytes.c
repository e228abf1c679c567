#include "common/bytes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int
bytes_copy(struct bytes *dst, const void *data, size_t size)
{
    *dst = (struct bytes){0};
    if (size == 0)
        return 0;
    if (size == SIZE_MAX)
        return -1;
    dst->data = malloc(size + 1);
    if (!dst->data)
        return -1;
    memcpy(dst->data, data, size);
    dst->data[size] = '\0';
    dst->size = size;
    return 0;
}

void
bytes_fini(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}
