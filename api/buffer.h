/*
 * A growing run of bytes. Appending never fails on the spot: once memory runs out the buffer
 * stays `failed`, and who uses the contents checks that once.
 *
 *     struct buffer text = BUFFER_INIT;
 *     buffer_printf(&text, "%d", 42);
 *     if (text.failed) ...
 *     buffer_fini(&text);
 */
#ifndef RETORT_BUFFER_H
#define RETORT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct buffer {
    char *data; /* NULL while capacity is 0 */
    size_t size, capacity;
    bool failed;
};

#define BUFFER_INIT                                                                                \
    {                                                                                              \
        .data = NULL                                                                               \
    }

/* Room for count more bytes at data + size, or false (and failed is set). */
bool buffer_reserve(struct buffer *buffer, size_t count);
void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_puts(struct buffer *buffer, const char *text);
void buffer_putc(struct buffer *buffer, char c);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Empties it; keeps the memory unless it is larger than keep_bytes. */
void buffer_reset(struct buffer *buffer, size_t keep_bytes);
void buffer_fini(struct buffer *buffer);

#endif
