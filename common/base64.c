#include "common/base64.h"

#include <stdbool.h>
#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define NO_DIGIT 0xff

size_t
base64_encoded_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

static void
put_digits(uint32_t bits, char *text)
{
    for (int i = 0; i < 4; i++)
        text[i] = alphabet[bits >> (18 - 6 * i) & 63];
}

void
base64_encode(const void *data, size_t size, char *text)
{
    const unsigned char *at = data;

    for (; size >= 3; size -= 3, at += 3, text += 4)
        put_digits((uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2], text);
    if (size == 0)
        return;
    put_digits((uint32_t)at[0] << 16 | (size == 2 ? (uint32_t)at[1] << 8 : 0), text);
    text[3] = '=';
    if (size == 1)
        text[2] = '=';
}

/* Value of each character, or NO_DIGIT; made with the first use, the same by whoever makes it. */
static const uint8_t *
digits(void)
{
    static uint8_t table[256];
    static bool made;

    if (!made) {
        for (size_t i = 0; i < sizeof(table); i++)
            table[i] = NO_DIGIT;
        for (uint8_t i = 0; i < 64; i++)
            table[(unsigned char)alphabet[i]] = i;
        made = true;
    }
    return table;
}

/* -1: one of the four is no digit. */
static int64_t
take_digits(const uint8_t *table, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    uint8_t a = table[at[0]], b = table[at[1]], c = table[at[2]], d = table[at[3]];

    if ((a | b | c | d) & 0x80)
        return -1;
    return (int64_t)a << 18 | (int64_t)b << 12 | (int64_t)c << 6 | d;
}

/* The last four, with their padding. */
static int
decode_padded(const uint8_t *table, const char *text, unsigned char *out, size_t *written)
{
    size_t padding = text[2] == '=' ? 2 : 1;
    const char whole[4] = {text[0], text[1], padding == 2 ? 'A' : text[2], 'A'};
    int64_t bits = take_digits(table, whole);

    if (text[3] != '=' || bits < 0 || bits & (padding == 2 ? 0xffff : 0xff))
        return -1;
    out[0] = (unsigned char)(bits >> 16);
    if (padding == 1)
        out[1] = (unsigned char)(bits >> 8);
    *written = 3 - padding;
    return 0;
}

int
base64_decode(const char *text, size_t size, void *data, size_t *data_size)
{
    const uint8_t *table = digits();
    unsigned char *out = data;
    size_t written = 0, last = 0;

    if (size % 4 != 0)
        return -1;
    bool padded = size > 0 && text[size - 1] == '=';
    for (size_t at = 0; at < (padded ? size - 4 : size); at += 4, written += 3) {
        int64_t bits = take_digits(table, text + at);
        if (bits < 0)
            return -1;
        out[written] = (unsigned char)(bits >> 16);
        out[written + 1] = (unsigned char)(bits >> 8);
        out[written + 2] = (unsigned char)bits;
    }
    if (padded && decode_padded(table, text + size - 4, out + written, &last) < 0)
        return -1;
    *data_size = written + last;
    return 0;
}
