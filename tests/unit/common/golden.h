/* Golden messages: golden/ has one file a message and version, which never changes. */
#ifndef RETORT_TEST_GOLDEN_H
#define RETORT_TEST_GOLDEN_H

#include <stddef.h>

#include "common/job.h"

struct file {
    unsigned char data[4096];
    size_t size;
};

struct file read_golden(const char *name);
void assert_bytes(const struct bytes *bytes, const char *data, size_t size);

#endif
