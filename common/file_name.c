#include "common/file_name.h"

#include <string.h>

#include "common/utf8.h"

static bool
has_control_character(const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return true;
    return false;
}

static const char *
part_fault(const char *part, size_t size)
{
    if (size == 0)
        return "has an empty part: it must be relative, with single slashes and none at its end";
    if (size > FILE_NAME_PART_BYTES)
        return "has a part of more than 255 bytes";
    if (part[0] == '.' && (size == 1 || (size == 2 && part[1] == '.')))
        return "has a part that is \".\" or \"..\"";
    return NULL;
}

const char *
file_name_fault(const char *name, size_t size, size_t depth)
{
    if (size == 0)
        return "is empty";
    if (size > FILE_NAME_BYTES)
        return "has more than 1024 bytes";
    if (utf8_valid_prefix(name, size) != size)
        return "is not valid UTF-8";
    if (has_control_character(name, size))
        return "has a control character";
    for (size_t start = 0, parts = 1;; parts++) {
        const char *slash = memchr(name + start, '/', size - start);
        size_t part = slash == NULL ? size - start : (size_t)(slash - name) - start;
        const char *fault = part_fault(name + start, part);
        if (fault != NULL)
            return fault;
        if (parts > depth)
            return "lies too deep";
        if (slash == NULL)
            return NULL;
        start += part + 1;
    }
}

bool
file_names_collide(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t shorter = a_size < b_size ? a_size : b_size;

    if (memcmp(a, b, shorter) != 0)
        return false;
    return a_size == b_size || (a_size > b_size ? a : b)[shorter] == '/';
}
