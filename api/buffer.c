#include "api/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAPACITY 512

bool
buffer_reserve(struct buffer *buffer, size_t count)
{
    if (buffer->failed)
        return false;
    if (buffer->capacity - buffer->size >= count)
        return true;
    size_t wanted = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
    while (wanted - buffer->size < count && wanted <= SIZE_MAX / 2)
        wanted *= 2;
    char *grown = wanted - buffer->size < count ? NULL : realloc(buffer->data, wanted);
    if (!grown) {
        buffer->failed = true;
        return false;
    }
    buffer->data = grown;
    buffer->capacity = wanted;
    return true;
}

void
buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    if (size == 0 || !buffer_reserve(buffer, size))
        return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void
buffer_puts(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void
buffer_putc(struct buffer *buffer, char c)
{
    buffer_append(buffer, &c, 1);
}

void
buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    char text[1024];
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length < 0) {
        buffer->failed = true;
        return;
    }
    if ((size_t)length < sizeof(text)) {
        buffer_append(buffer, text, (size_t)length);
        return;
    }
    if (!buffer_reserve(buffer, (size_t)length + 1))
        return;
    va_start(arguments, format);
    vsnprintf(buffer->data + buffer->size, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)length;
}

void
buffer_reset(struct buffer *buffer, size_t keep_bytes)
{
    if (buffer->capacity > keep_bytes || buffer->failed)
        buffer_fini(buffer);
    buffer->size = 0;
}

void
buffer_fini(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer)BUFFER_INIT;
}
