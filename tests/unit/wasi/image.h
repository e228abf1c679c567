/*
 * A small image: /etc/hosts, /hello.txt, /lib/link, /lib/python/{os.py,up}, /link-out, and
 * /tmp/hidden, which the host's own /tmp hides.
 */
#ifndef RETORT_TEST_WASI_IMAGE_H
#define RETORT_TEST_WASI_IMAGE_H

#include <stddef.h>

/* Static; *size in bytes. */
const void *test_image(size_t *size);

#endif
