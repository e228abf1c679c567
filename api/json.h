/*
 * Reading JSON. This module is the only one that knows jansson.
 *
 * Strict RFC 8259, with a byte order mark passed over; no duplicate keys, no NaN, nesting at most
 * 2,048 deep. Strings are valid UTF-8 and may contain NUL; numbers are doubles.
 */
#ifndef RETORT_JSON_H
#define RETORT_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum json_kind {
    JSON_KIND_NULL,
    JSON_KIND_BOOL,
    JSON_KIND_NUMBER,
    JSON_KIND_STRING,
    JSON_KIND_ARRAY,
    JSON_KIND_OBJECT
};

struct json_value;

struct json_fault {
    const char *type;   /* of the validation error: "json_invalid", "string_unicode". Static. */
    char sentence[200]; /* without a full stop */
    size_t position;    /* bytes from the start of the text */
};

/* NULL: fault is set. Free with json_free(). */
struct json_value *json_parse(const char *text, size_t size, struct json_fault *fault);
void json_free(struct json_value *value);

enum json_kind json_kind_of(const struct json_value *value);
/* Member of an object, or NULL. Borrowed from it. */
const struct json_value *json_member(const struct json_value *object, const char *name);
/*
 * The first member of an object, or the one after *name, which it sets (borrowed). NULL at the
 * end. Begin with *name NULL; the order is that of the text.
 */
const struct json_value *json_next_member(const struct json_value *object, const char **name);
/* Of an array; item is borrowed from it. */
size_t json_length(const struct json_value *array);
const struct json_value *json_item(const struct json_value *array, size_t index);
/* Of a string: borrowed, with its NUL. */
const char *json_text(const struct json_value *string, size_t *size);
bool json_bool(const struct json_value *boolean);
double json_number(const struct json_value *number);
/* Appends value as JSON without white space. */
struct buffer;
void json_put_value(struct buffer *out, const struct json_value *value);

#endif
