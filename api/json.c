#include "api/json.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "api/buffer.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* json_value is jansson's json_t; the name keeps its header out of ours. */
static const json_t *
inner(const struct json_value *value)
{
    return (const json_t *)(const void *)value;
}

/* What jansson says, without the piece of the client's text that it quotes. */
static void
describe(const json_error_t *error, struct json_fault *fault)
{
    fault->type = "json_invalid";
    snprintf(fault->sentence, sizeof(fault->sentence), "%.*s",
             (int)(strstr(error->text, " near ") ? strstr(error->text, " near ") - error->text
                                                 : (ptrdiff_t)strlen(error->text)),
             error->text);
    if (strncmp(error->text, "invalid Unicode", strlen("invalid Unicode")) == 0) {
        fault->type = "string_unicode";
        snprintf(fault->sentence, sizeof(fault->sentence),
                 "a \\u escape is half of a surrogate pair; send whole characters");
    }
    switch (json_error_code(error)) {
    case json_error_invalid_utf8:
        fault->type = "string_unicode";
        snprintf(fault->sentence, sizeof(fault->sentence), "the body is not valid UTF-8");
        break;
    case json_error_numeric_overflow:
        snprintf(fault->sentence, sizeof(fault->sentence), "a number is too large");
        break;
    case json_error_stack_overflow:
        snprintf(fault->sentence, sizeof(fault->sentence), "arrays or objects nest too deep");
        break;
    case json_error_unknown:
    case json_error_out_of_memory:
    case json_error_cannot_open_file:
    case json_error_invalid_argument:
    case json_error_premature_end_of_input:
    case json_error_end_of_input_expected:
    case json_error_invalid_syntax:
    case json_error_invalid_format:
    case json_error_wrong_type:
    case json_error_null_character:
    case json_error_null_value:
    case json_error_null_byte_in_key:
    case json_error_duplicate_key:
    case json_error_item_not_found:
    case json_error_index_out_of_range:
        break;
    }
}

struct json_value *
json_parse(const char *text, size_t size, struct json_fault *fault)
{
    const size_t mark = strlen(BYTE_ORDER_MARK);
    size_t skipped = size >= mark && memcmp(text, BYTE_ORDER_MARK, mark) == 0 ? mark : 0;
    json_error_t error;
    /* As doubles integers of any size are numbers, and a timeout of 10^30 is one that is capped. */
    json_t *value = json_loadb(text + skipped, size - skipped,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL |
                                   JSON_ALLOW_NUL,
                               &error);
    if (!value) {
        describe(&error, fault);
        fault->position = skipped + (error.position > 0 ? (size_t)error.position : 0);
    }
    return (struct json_value *)(void *)value;
}

void
json_free(struct json_value *value)
{
    json_decref((json_t *)(void *)value);
}

enum json_kind
json_kind_of(const struct json_value *value)
{
    switch (json_typeof(inner(value))) {
    case JSON_OBJECT:
        return JSON_KIND_OBJECT;
    case JSON_ARRAY:
        return JSON_KIND_ARRAY;
    case JSON_STRING:
        return JSON_KIND_STRING;
    case JSON_INTEGER:
    case JSON_REAL:
        return JSON_KIND_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE:
        return JSON_KIND_BOOL;
    case JSON_NULL:
        break;
    }
    return JSON_KIND_NULL;
}

const struct json_value *
json_member(const struct json_value *object, const char *name)
{
    return (const struct json_value *)(const void *)json_object_get(inner(object), name);
}

const struct json_value *
json_next_member(const struct json_value *object, const char **name)
{
    /* jansson changes nothing here; its iterators want an object that may be changed. */
    json_t *mutable = (json_t *)(uintptr_t)inner(object);
    void *at = *name ? json_object_iter_next(mutable, json_object_key_to_iter(*name))
                     : json_object_iter(mutable);
    if (!at)
        return NULL;
    *name = json_object_iter_key(at);
    return (const struct json_value *)(const void *)json_object_iter_value(at);
}

size_t
json_length(const struct json_value *array)
{
    return json_array_size(inner(array));
}

const struct json_value *
json_item(const struct json_value *array, size_t index)
{
    return (const struct json_value *)(const void *)json_array_get(inner(array), index);
}

const char *
json_text(const struct json_value *string, size_t *size)
{
    *size = json_string_length(inner(string));
    return json_string_value(inner(string));
}

bool
json_bool(const struct json_value *boolean)
{
    return json_is_true(inner(boolean));
}

static int
on_piece(const char *data, size_t size, void *context)
{
    buffer_append(context, data, size);
    return 0;
}

void
json_put_value(struct buffer *out, const struct json_value *value)
{
    if (json_dump_callback(inner(value), on_piece, out, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
        out->failed = true;
}

double
json_number(const struct json_value *number)
{
    return json_number_value(inner(number));
}
