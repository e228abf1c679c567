#include "api/request_body.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct json_value *
request_body_object(const struct buffer *body, struct validation *validation)
{
    struct json_fault fault;
    if (body->size == 0) {
        request_body_complain(validation, "missing", NULL, "Field required");
        return NULL;
    }
    struct json_value *object = json_parse(body->data, body->size, &fault);
    if (!object) {
        validation_add_fault(validation, &fault);
        return NULL;
    }
    if (json_kind_of(object) == JSON_KIND_OBJECT)
        return object;
    request_body_complain(validation, "model_attributes_type", NULL,
                          "Input should be a valid dictionary or object to extract fields from");
    json_free(object);
    return NULL;
}

void
request_body_complain(struct validation *validation, const char *type, const char *field,
                      const char *message)
{
    validation_add(validation,
                   &(struct validation_error){.type = type, .field = field, .message = message});
}

const char *
request_body_text(const struct json_value *value, const char *field, struct validation *validation,
                  size_t *size)
{
    if (json_kind_of(value) == JSON_KIND_STRING)
        return json_text(value, size);
    validation_add(validation,
                   &(struct validation_error){.type = "string_type",
                                              .field = field,
                                              .message = "Input should be a valid string",
                                              .input = value});
    return NULL;
}

int
request_body_check_size(const char *what, size_t size, const char *limit_name, uint64_t limit,
                        struct err *err)
{
    if (size <= limit)
        return 0;
    return err_set(err, ERR_TOO_LARGE, 0, "%s has %zu bytes; %s allows %" PRIu64 ".", what, size,
                   limit_name, limit);
}

int
request_body_take_code(const struct json_value *object, const struct config *config,
                       struct bytes *code, struct validation *validation, struct err *err)
{
    const struct json_value *value = json_member(object, "code");
    if (!value) {
        request_body_complain(validation, "missing", "code", "Field required");
        return 0;
    }
    size_t size;
    const char *text = request_body_text(value, "code", validation, &size);
    if (!text)
        return 0;
    if (request_body_check_size("code", size, "MAX_CODE_BYTES", config->max_code_bytes, err) < 0)
        return -1;
    if (memchr(text, '\0', size))
        request_body_complain(validation, "value_error", "code",
                              "Value error, source code cannot contain NUL (\\u0000); remove it");
    if (bytes_copy(code, text, size) < 0)
        return err_set(err, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
    return 0;
}

int
request_body_take_stdin(const struct json_value *object, const struct config *config,
                        struct bytes *input, struct validation *validation, struct err *err)
{
    const struct json_value *value = json_member(object, "stdin");
    if (!value || json_kind_of(value) == JSON_KIND_NULL)
        return 0;
    size_t size;
    const char *text = request_body_text(value, "stdin", validation, &size);
    if (!text)
        return 0;
    if (request_body_check_size("stdin", size, "MAX_STDIN_BYTES", config->max_stdin_bytes, err) < 0)
        return -1;
    if (bytes_copy(input, text, size) < 0)
        return err_set(err, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
    return 0;
}

/* Sets type, message and ctx (in text, of size) of what is wrong with a number of seconds. */
static void
check_seconds(double seconds, uint32_t least_s, uint32_t most_s, struct validation_error *error,
              char text[2][64])
{
    if (least_s == 0 && seconds <= 0) {
        error->type = "greater_than";
        error->message = "Input should be greater than 0";
        error->ctx = "\"gt\":0";
        return;
    }
    if (least_s == 0 || (seconds >= least_s && seconds <= most_s))
        return;
    bool less = seconds < least_s;
    uint32_t bound = less ? least_s : most_s;
    snprintf(text[0], sizeof(text[0]), "Input should be %s than or equal to %" PRIu32,
             less ? "greater" : "less", bound);
    snprintf(text[1], sizeof(text[1]), "\"%s\":%" PRIu32, less ? "ge" : "le", bound);
    error->type = less ? "greater_than_equal" : "less_than_equal";
    error->message = text[0];
    error->ctx = text[1];
}

void
request_body_take_seconds(const struct json_value *object, uint32_t least_s, uint32_t most_ms,
                          uint32_t *timeout_ms, struct validation *validation)
{
    const struct json_value *value = json_member(object, "timeout");
    struct validation_error error = {.field = "timeout", .input = value};
    char text[2][64];
    if (!value || json_kind_of(value) == JSON_KIND_NULL)
        return;
    if (json_kind_of(value) != JSON_KIND_NUMBER) {
        request_body_complain(validation, "float_type", "timeout",
                              "Input should be a valid number");
        return;
    }
    double seconds = json_number(value);
    check_seconds(seconds, least_s, most_ms / 1000, &error, text);
    if (error.type) {
        validation_add(validation, &error);
        return;
    }
    *timeout_ms = seconds * 1000 >= most_ms ? most_ms : (uint32_t)(seconds * 1000);
    if (*timeout_ms == 0)
        *timeout_ms = 1;
}
