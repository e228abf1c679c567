#include "tests/unit/common/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GOLDEN "tests/unit/common/golden/"

struct file
read_golden(const char *name)
{
    struct file file;
    char path[128];
    snprintf(path, sizeof(path), GOLDEN "%s", name);
    FILE *in = fopen(path, "rb");
    if (!in)
        fail_msg("%s cannot be opened", path);
    file.size = fread(file.data, 1, sizeof(file.data), in);
    fclose(in);
    return file;
}

void
assert_bytes(const struct bytes *bytes, const char *data, size_t size)
{
    assert_int_equal(bytes->size, size);
    if (size > 0)
        assert_memory_equal(bytes->data, data, size);
}
