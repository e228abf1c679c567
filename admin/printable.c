#include "admin/printable.h"

#include <stdint.h>
#include <string.h>

#include "common/utf8.h"

static uint32_t
code_point(const char *data, size_t length)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = (unsigned char)data[0] & masks[length];

    for (size_t i = 1; i < length; i++)
        point = point << 6 | ((unsigned char)data[i] & 0x3f);
    return point;
}

/* Whether a terminal shows it, as one thing in its place. */
static bool
is_shown(uint32_t point)
{
    static const uint32_t hidden[][2] = {
        {0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},
        {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfe00, 0xfe0f},
        {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xe000, 0xf8ff}, {0xe0000, 0x10ffff},
    };

    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        if (point >= hidden[i][0] && point <= hidden[i][1])
            return false;
    }
    return true;
}

void
printable_put_hex(FILE *out, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        fprintf(out, "%02x", (unsigned char)data[i]);
}

void
printable_put(FILE *out, const char *data, size_t size, bool lines)
{
    for (size_t i = 0, length; i < size; i += length) {
        bool valid;
        length = utf8_sequence(data + i, size - i, &valid);
        if (data[i] == '\\' && !lines) {
            fputs("\\\\", out);
        } else if ((valid && is_shown(code_point(data + i, length))) ||
                   (lines && (data[i] == '\n' || data[i] == '\t'))) {
            fwrite(data + i, 1, length, out);
        } else {
            for (size_t j = 0; j < length; j++)
                fprintf(out, "\\x%02x", (unsigned char)data[i + j]);
        }
    }
}

void
printable_put_json(FILE *out, const char *data, size_t size)
{
    fputc('"', out);
    for (size_t i = 0, length; i < size; i += length) {
        bool valid;
        length = utf8_sequence(data + i, size - i, &valid);
        uint32_t point = valid ? code_point(data + i, length) : 0xfffd;
        if (point == '"' || point == '\\')
            fprintf(out, "\\%c", (char)point);
        else if (point > 0xffff || (is_shown(point) && valid))
            fwrite(data + i, 1, length, out);
        else
            fprintf(out, "\\u%04x", (unsigned)point);
    }
    fputc('"', out);
}
