#include "api/query.h"

#include <stdbool.h>
#include <string.h>

static int
digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at ? (int)((at - digits) % 16) : -1;
}

static int
decode(const char *text, size_t text_size, char *value, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < text_size; i++) {
        char c = text[i] == '+' ? ' ' : text[i];
        if (c == '%') {
            int high = i + 2 < text_size ? digit(text[i + 1]) : -1;
            int low = i + 2 < text_size ? digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return -1;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0' || used + 1 >= size)
            return -1;
        value[used++] = c;
    }
    value[used] = '\0';
    return 1;
}

int
query_get(const char *query, const char *name, char *value, size_t size)
{
    size_t name_size = strlen(name);

    while (*query) {
        size_t length = strcspn(query, "&");
        if (length > name_size && strncmp(query, name, name_size) == 0 && query[name_size] == '=')
            return decode(query + name_size + 1, length - name_size - 1, value, size);
        query += length;
        query += *query == '&';
    }
    return 0;
}
