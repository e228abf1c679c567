/* What musl's __tz.c wants of <sys/mman.h>: see ../../tz.c. */
#ifndef GUEST_MUSL_MMAN_H
#define GUEST_MUSL_MMAN_H

#include <stddef.h>

const unsigned char *__map_file(const char *path, size_t *size);
int __munmap(void *start, size_t size);

#endif
