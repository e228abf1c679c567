#include "common/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Lead byte ranges with what may follow as second byte: Unicode standard, table 3-7. */
struct lead {
    unsigned char first, last, second_min, second_max, length;
};

static const struct lead leads[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static const struct lead *
find_lead(unsigned char byte)
{
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
        if (byte >= leads[i].first && byte <= leads[i].last)
            return &leads[i];
    return NULL;
}

/* Bytes at data that belong together, at most lead->length. */
static size_t
match(const struct lead *lead, const unsigned char *data, size_t size)
{
    if (size < 2 || data[1] < lead->second_min || data[1] > lead->second_max)
        return 1;
    size_t n = 2;
    while (n < lead->length && n < size && (data[n] & 0xc0) == 0x80)
        n++;
    return n;
}

size_t
utf8_sequence(const char *data, size_t size, bool *valid)
{
    const unsigned char *bytes = (const unsigned char *)data;
    *valid = bytes[0] < 0x80;
    if (*valid)
        return 1;
    const struct lead *lead = find_lead(bytes[0]);
    if (!lead)
        return 1;
    size_t n = match(lead, bytes, size);
    *valid = n == lead->length;
    return n;
}

/* Length of the run of ASCII at data, eight bytes at a time. */
static size_t
ascii_prefix(const char *data, size_t size)
{
    size_t i = 0;
    for (unsigned long long word; i + sizeof(word) <= size; i += sizeof(word)) {
        memcpy(&word, data + i, sizeof(word));
        if (word & 0x8080808080808080ULL)
            break;
    }
    while (i < size && !(data[i] & 0x80))
        i++;
    return i;
}

size_t
utf8_valid_prefix(const char *data, size_t size)
{
    /* data may be NULL when size is 0, and then not even 0 may be added to it. */
    size_t i = 0;
    while (i < size) {
        i += ascii_prefix(data + i, size - i);
        if (i == size)
            break;
        bool valid;
        size_t n = utf8_sequence(data + i, size - i, &valid);
        if (!valid)
            break;
        i += n;
    }
    return i;
}

size_t
utf8_cut(const char *data, size_t size)
{
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        const unsigned char *start = (const unsigned char *)data + size - back;
        if ((*start & 0xc0) == 0x80)
            continue;
        const struct lead *lead = find_lead(*start);
        bool unfinished = lead && back < lead->length && match(lead, start, back) == back;
        return unfinished ? size - back : size;
    }
    return size;
}

int
utf8_replace(const char *data, size_t size, struct bytes *out)
{
    size_t valid_size = utf8_valid_prefix(data, size);
    if (valid_size == size)
        return bytes_copy(out, data, size);
    *out = (struct bytes){0};
    /* At worst every byte becomes the three bytes of U+FFFD. */
    size_t rest = size - valid_size;
    if (rest > (SIZE_MAX - valid_size - 1) / 3)
        return -1;
    char *to = malloc(valid_size + 3 * rest + 1);
    if (!to)
        return -1;
    memcpy(to, data, valid_size);
    size_t used = valid_size;
    for (size_t i = valid_size; i < size;) {
        bool valid;
        size_t n = utf8_sequence(data + i, size - i, &valid);
        memcpy(to + used, valid ? data + i : "\xef\xbf\xbd", valid ? n : 3);
        used += valid ? n : 3;
        i += n;
    }
    to[used] = '\0';
    *out = (struct bytes){.data = to, .size = used};
    return 0;
}
