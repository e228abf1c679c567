#include "api/json_writer.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

static bool
needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

static void
put_escape(struct buffer *out, unsigned char c)
{
    static const char short_forms[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    for (size_t i = 0; i + 1 < sizeof(short_forms); i += 2) {
        if ((unsigned char)short_forms[i] == c) {
            buffer_append(out, (const char[]){'\\', short_forms[i + 1]}, 2);
            return;
        }
    }
    char text[8];
    snprintf(text, sizeof(text), "\\u%04x", c);
    buffer_append(out, text, 6);
}

/* text is valid UTF-8. */
static void
put_escaped(struct buffer *out, const char *text, size_t size)
{
    size_t start = 0;
    for (size_t at = 0; at < size; at++) {
        if (!needs_escape((unsigned char)text[at]))
            continue;
        buffer_append(out, text + start, at - start);
        put_escape(out, (unsigned char)text[at]);
        start = at + 1;
    }
    buffer_append(out, text + start, size - start);
}

void
json_put_string(struct buffer *out, const void *data, size_t size)
{
    const char *text = data;
    buffer_reserve(out, size + 2);
    buffer_putc(out, '"');
    for (size_t at = 0; at < size;) {
        size_t length = utf8_valid_prefix(text + at, size - at);
        put_escaped(out, text + at, length);
        at += length;
        if (at == size)
            break;
        bool valid;
        buffer_puts(out, REPLACEMENT);
        at += utf8_sequence(text + at, size - at, &valid);
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
json_put_ms(struct buffer *out, const char *name, uint64_t us)
{
    json_put_member(out, name);
    buffer_printf(out, "%" PRIu64 ".%03u", us / 1000, (unsigned)(us % 1000));
}
