#include "common/msgpack_shape.h"

#include <stdint.h>

/* Messages of version 1 need depth 2 and 17 entries. */
#define MAX_DEPTH   8
#define MAX_ENTRIES 256

struct reader {
    const unsigned char *data;
    size_t left;
};

static int
bad_message(struct err *err, const char *what)
{
    return err_set(err, ERR_PROTOCOL, 0, "message refused: %s", what);
}

/* A big-endian number of width bytes. */
static int
read_number(struct reader *reader, size_t width, uint64_t *value)
{
    if (reader->left < width)
        return -1;
    *value = 0;
    for (size_t i = 0; i < width; i++)
        *value = *value << 8 | reader->data[i];
    reader->data += width;
    reader->left -= width;
    return 0;
}

enum shape { SHAPE_REFUSED, SHAPE_FIXED, SHAPE_BYTES, SHAPE_ARRAY, SHAPE_MAP };

/* What a first byte announces; *width is that of its length field (0: *count is set already). */
static enum shape
shape_of(unsigned char tag, size_t *width, uint64_t *count)
{
    static const unsigned char fixed[] = {
        /* c0.. */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8,
    };
    *width = 0;
    *count = 0;
    if (tag <= 0x7f || tag >= 0xe0)
        return SHAPE_FIXED;
    if (tag <= 0x9f) {
        *count = tag & 15;
        return tag <= 0x8f ? SHAPE_MAP : SHAPE_ARRAY;
    }
    if (tag <= 0xbf) {
        *count = tag & 31;
        return SHAPE_BYTES;
    }
    if (tag >= 0xc4 && tag <= 0xc6) {
        *width = (size_t)1 << (tag - 0xc4);
        return SHAPE_BYTES;
    }
    if (tag >= 0xd9 && tag <= 0xdb) {
        *width = (size_t)1 << (tag - 0xd9);
        return SHAPE_BYTES;
    }
    if (tag >= 0xdc) {
        *width = tag & 1 ? 4 : 2;
        return tag <= 0xdd ? SHAPE_ARRAY : SHAPE_MAP;
    }
    if (tag == 0xc1 || (tag >= 0xc7 && tag <= 0xc9) || tag >= 0xd4)
        return SHAPE_REFUSED; /* reserved, and the extension types, which we have none of */
    *count = fixed[tag - 0xc0];
    return SHAPE_FIXED;
}

static int
check_value(struct reader *reader, unsigned depth, struct err *err)
{
    uint64_t tag, count;
    size_t width;
    if (depth > MAX_DEPTH)
        return bad_message(err, "nested too deeply");
    if (read_number(reader, 1, &tag) < 0)
        return bad_message(err, "it ends early");
    enum shape shape = shape_of((unsigned char)tag, &width, &count);
    if (shape == SHAPE_REFUSED)
        return bad_message(err, "a type that no message has");
    if (width > 0 && read_number(reader, width, &count) < 0)
        return bad_message(err, "it ends early");
    if (shape == SHAPE_FIXED || shape == SHAPE_BYTES) {
        if (count > reader->left)
            return bad_message(err, "a length beyond its end");
        reader->data += count;
        reader->left -= count;
        return 0;
    }
    if (count > MAX_ENTRIES)
        return bad_message(err, "too many entries");
    for (uint64_t i = 0; i < (shape == SHAPE_MAP ? 2 * count : count); i++)
        if (check_value(reader, depth + 1, err) < 0)
            return -1;
    return 0;
}

int
msgpack_shape_check(const void *data, size_t size, struct err *err)
{
    struct reader reader = {.data = data, .left = size};
    if (check_value(&reader, 0, err) < 0)
        return -1;
    return reader.left > 0 ? bad_message(err, "bytes after its end") : 0;
}
