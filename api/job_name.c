#include "api/job_name.h"

#include <string.h>

#define PATTERN "^[0-9a-f]{32}$"

void
job_name_take(const struct json_value *value, char *name, struct validation *validation)
{
    static const char digits[] = "0123456789abcdef";
    struct validation_error error = {.field = "id", .input = value};
    size_t size;

    if (json_kind_of(value) == JSON_KIND_STRING) {
        const char *text = json_text(value, &size);
        if (size == JOB_ID_SIZE - 1 && strspn(text, digits) == size) {
            memcpy(name, text, size + 1);
            return;
        }
        error.type = "string_pattern_mismatch";
        error.message = "String should match pattern '" PATTERN "'";
        error.ctx = "\"pattern\":\"" PATTERN "\"";
    } else {
        error.type = "string_type";
        error.message = "Input should be a valid string";
    }
    validation_add(validation, &error);
}
