#include "api/json_writer.h"

#include <inttypes.h>

#include "common/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* The longest escape, \u001f; nothing else makes more bytes of one. */
#define WORST_GROWTH 6
/* Room is made for so many bytes at a time, so that the loop below needs no check. */
#define BLOCK_BYTES  4096

static bool
needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* Whether any of eight bytes (all below 0x80) needs an escape; a byte of zero in x shows as 0x80.
 */
static bool
any_needs_escape(uint64_t eight)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    uint64_t quote = eight ^ (ones * '"'), backslash = eight ^ (ones * '\\');
    return (((eight - ones * 0x20) | (quote - ones) | (backslash - ones)) & tops) != 0;
}

static char *
put_escape(char *to, unsigned char c)
{
    static const char short_forms[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    *to++ = '\\';
    for (size_t i = 0; i + 1 < sizeof(short_forms); i += 2) {
        if ((unsigned char)short_forms[i] == c) {
            *to++ = short_forms[i + 1];
            return to;
        }
    }
    *to++ = 'u';
    *to++ = '0';
    *to++ = '0';
    *to++ = "0123456789abcdef"[c >> 4];
    *to++ = "0123456789abcdef"[c & 15];
    return to;
}

/* The character at text, or what stands for it; *used is its length. */
static char *
put_character(char *to, const char *text, size_t size, size_t *used)
{
    unsigned char c = (unsigned char)*text;
    *used = 1;
    if (c < 0x80) {
        if (needs_escape(c))
            return put_escape(to, c);
        *to = *text;
        return to + 1;
    }
    bool valid;
    *used = utf8_sequence(text, size, &valid);
    for (size_t i = 0; valid && i < *used; i++)
        *to++ = text[i];
    for (const char *at = REPLACEMENT; !valid && *at; at++)
        *to++ = *at;
    return to;
}

/* Takes at least block bytes of text (all of size when that is less); returns how many. */
static size_t
put_block(struct buffer *out, const char *text, size_t size, size_t block)
{
    char *to = out->data + out->size;
    size_t at = 0;
    while (at < block && at < size) {
        uint64_t eight;
        if (size - at >= sizeof(eight)) {
            memcpy(&eight, text + at, sizeof(eight));
            if (!(eight & 0x8080808080808080u) && !any_needs_escape(eight)) {
                memcpy(to, &eight, sizeof(eight));
                to += sizeof(eight);
                at += sizeof(eight);
                continue;
            }
        }
        size_t used;
        to = put_character(to, text + at, size - at, &used);
        at += used;
    }
    out->size = (size_t)(to - out->data);
    return at;
}

void
json_put_string(struct buffer *out, const void *data, size_t size)
{
    const char *text = data;
    buffer_reserve(out, size + 2);
    buffer_putc(out, '"');
    for (size_t at = 0; at < size;) {
        /* The last character may reach seven bytes past the block. */
        if (!buffer_reserve(out, (BLOCK_BYTES + sizeof(uint64_t)) * WORST_GROWTH))
            return;
        at += put_block(out, text + at, size - at, BLOCK_BYTES);
    }
    buffer_putc(out, '"');
}

void
json_put_member(struct buffer *out, const char *name)
{
    char last = out->size ? out->data[out->size - 1] : '{';
    if (last != '{' && last != '[')
        buffer_putc(out, ',');
    buffer_putc(out, '"');
    buffer_puts(out, name);
    buffer_append(out, "\":", 2);
}

void
json_put_text(struct buffer *out, const char *name, const char *text)
{
    json_put_member(out, name);
    if (text)
        json_put_string(out, text, strlen(text));
    else
        buffer_puts(out, "null");
}

void
json_put_bytes(struct buffer *out, const char *name, const void *data, size_t size)
{
    json_put_member(out, name);
    json_put_string(out, data, size);
}

void
json_put_uint(struct buffer *out, const char *name, uint64_t value)
{
    json_put_member(out, name);
    buffer_printf(out, "%" PRIu64, value);
}

void
json_put_bool(struct buffer *out, const char *name, bool value)
{
    json_put_member(out, name);
    buffer_puts(out, value ? "true" : "false");
}

void
json_put_seconds(struct buffer *out, const char *name, uint64_t us)
{
    json_put_member(out, name);
    buffer_printf(out, "%" PRIu64 ".%06u", us / 1000000, (unsigned)(us % 1000000));
}

void
json_put_ms(struct buffer *out, const char *name, uint64_t us)
{
    json_put_member(out, name);
    buffer_printf(out, "%" PRIu64 ".%03u", us / 1000, (unsigned)(us % 1000));
}
