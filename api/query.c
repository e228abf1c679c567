#include "api/query.h"

#include <string.h>

static int
digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int
decode(const char *text, size_t length, char *out, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < length; i++) {
        int byte = text[i] == '+' ? ' ' : (unsigned char)text[i];
        if (byte == '%') {
            int high = length - i > 2 ? digit_of(text[i + 1]) : -1;
            int low = high < 0 ? -1 : digit_of(text[i + 2]);
            byte = low < 0 ? 0 : high * 16 + low;
            i += 2;
        }
        if (byte == 0 || used + 1 >= size)
            return -1;
        out[used++] = (char)byte;
    }
    out[used] = '\0';
    return 1;
}

int
query_get(const char *query, const char *name, char *out, size_t size)
{
    size_t name_size = strlen(name);
    int found = 0;

    for (const char *at = query; *at;) {
        size_t length = strcspn(at, "&");
        if (length >= name_size && memcmp(at, name, name_size) == 0 &&
            (length == name_size || at[name_size] == '=')) {
            size_t start = length == name_size ? length : name_size + 1;
            if (found || decode(at + start, length - start, out, size) < 0)
                return -1;
            found = 1;
        }
        at += length + (at[length] == '&');
    }
    return found;
}
