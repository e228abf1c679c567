/*
 * Writes JSON into a buffer. Responses are written by hand, field by field, since a megabyte of
 * output would be copied twice more on its way through a tree of values.
 *
 *     json_put_string(body, text, size);
 */
#ifndef RETORT_JSON_WRITER_H
#define RETORT_JSON_WRITER_H

#include <stdint.h>

#include "api/buffer.h"

/*
 * A JSON string of any bytes: valid UTF-8 stands as it is, each maximal ill-formed subpart becomes
 * U+FFFD, control characters, quotes and backslashes are escaped.
 */
void json_put_string(struct buffer *out, const void *data, size_t size);
/* "name": and a string of text (NULL: null). Both after a comma unless *out ends in '{' or '['. */
void json_put_member(struct buffer *out, const char *name);
void json_put_text(struct buffer *out, const char *name, const char *text);
void json_put_bytes(struct buffer *out, const char *name, const void *data, size_t size);
void json_put_uint(struct buffer *out, const char *name, uint64_t value);
void json_put_bool(struct buffer *out, const char *name, bool value);
/* Microseconds as seconds with six decimals. */
void json_put_seconds(struct buffer *out, const char *name, uint64_t us);
/* Microseconds as milliseconds with three decimals. */
void json_put_ms(struct buffer *out, const char *name, uint64_t us);

#endif
