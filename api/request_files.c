#include "api/request_files.h"

#include <stdio.h>

void
request_files_complain(const struct request_files *taking, const char *type, const char *member,
                       const char *message)
{
    validation_add(taking->validation, &(struct validation_error){.type = type,
                                                                  .field = "files",
                                                                  .number = taking->number,
                                                                  .member = member,
                                                                  .message = message});
}

bool
request_files_is_list(const struct request_files *taking, const struct json_value *value)
{
    if (!value || json_kind_of(value) == JSON_KIND_NULL)
        return false;
    if (json_kind_of(value) == JSON_KIND_ARRAY)
        return true;
    request_files_complain(taking, "list_type", NULL, "Input should be a valid list");
    return false;
}

bool
request_files_is_object(const struct request_files *taking, const struct json_value *file)
{
    if (json_kind_of(file) == JSON_KIND_OBJECT)
        return true;
    request_files_complain(taking, "model_attributes_type", NULL,
                           "Input should be a valid dictionary or object to extract fields from");
    return false;
}

const char *
request_files_text(const struct request_files *taking, const struct json_value *file,
                   const char *member, size_t *size)
{
    const struct json_value *value = json_member(file, member);

    if (!value)
        request_files_complain(taking, "missing", member, "Field required");
    else if (json_kind_of(value) != JSON_KIND_STRING)
        request_files_complain(taking, "string_type", member, "Input should be a valid string");
    else
        return json_text(value, size);
    return NULL;
}

bool
request_files_name_is_good(const struct request_files *taking, const char *member, const char *name,
                           size_t size)
{
    const char *fault = job_files_name_fault(taking->files, name, size);
    char message[160];

    if (!fault)
        return true;
    snprintf(message, sizeof(message), "Value error, the name %s", fault);
    request_files_complain(taking, "value_error", member, message);
    return false;
}
