/* A run of bytes on the heap. */
#ifndef RETORT_BYTES_H
#define RETORT_BYTES_H

#include <stddef.h>

/* data is NULL when size is 0; data[size] is NUL when set. */
struct bytes {
    char *data;
    size_t size;
};

/* Copies size bytes into dst (which is overwritten, not freed). -1: out of memory. */
int bytes_copy(struct bytes *dst, const void *data, size_t size);
void bytes_fini(struct bytes *bytes);

#endif
