#include "api/execute_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/execute_files.h"
#include "api/execute_limits.h"
#include "api/job_name.h"

static void
complain(struct validation *validation, const char *type, const char *field, const char *message)
{
    validation_add(validation,
                   &(struct validation_error){.type = type, .field = field, .message = message});
}

/* Text of a string member; NULL and a complaint when it is something else. Borrowed. */
static const char *
take_text(const struct json_value *value, const char *field, struct validation *validation,
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

static int
check_size(const char *what, size_t size, const char *limit_name, uint64_t limit, struct err *err)
{
    if (size <= limit)
        return 0;
    return err_set(err, ERR_TOO_LARGE, 0, "%s has %zu bytes; %s allows %" PRIu64 ".", what, size,
                   limit_name, limit);
}

static int
take_code(const struct json_value *object, const struct config *config, struct job *job,
          struct validation *validation, struct err *err)
{
    const struct json_value *value = json_member(object, "code");
    if (!value) {
        complain(validation, "missing", "code", "Field required");
        return 0;
    }
    size_t size;
    const char *text = take_text(value, "code", validation, &size);
    if (!text)
        return 0;
    if (check_size("code", size, "MAX_CODE_BYTES", config->max_code_bytes, err) < 0)
        return -1;
    if (memchr(text, '\0', size))
        complain(validation, "value_error", "code",
                 "Value error, source code cannot contain NUL (\\u0000); remove it");
    if (bytes_copy(&job->code, text, size) < 0)
        return err_set(err, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
    return 0;
}

static int
take_stdin(const struct json_value *object, const struct config *config, struct job *job,
           struct validation *validation, struct err *err)
{
    const struct json_value *value = json_member(object, "stdin");
    if (!value || json_kind_of(value) == JSON_KIND_NULL)
        return 0;
    size_t size;
    const char *text = take_text(value, "stdin", validation, &size);
    if (!text)
        return 0;
    if (check_size("stdin", size, "MAX_STDIN_BYTES", config->max_stdin_bytes, err) < 0)
        return -1;
    if (bytes_copy(&job->input, text, size) < 0)
        return err_set(err, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
    return 0;
}

static int
take_members(const struct json_value *object, const struct config *config, struct job *job,
             struct validation *validation, struct err *err)
{
    if (take_code(object, config, job, validation, err) < 0 ||
        take_stdin(object, config, job, validation, err) < 0 ||
        execute_files_take(json_member(object, "files"), config, &job->files, validation, err) < 0)
        return -1;
    const struct json_value *id = json_member(object, "id");
    if (id && json_kind_of(id) != JSON_KIND_NULL)
        job_name_take(id, job->id, validation);
    const struct json_value *timeout = json_member(object, "timeout_ms");
    struct validation_error error = {.field = "timeout_ms"};
    if (timeout)
        execute_limits_lower(timeout, &job->limits.timeout_ms, &error, validation);
    execute_limits_take(json_member(object, "limits"), &job->limits, validation);
    return validation->count ? -1 : 0;
}

int
execute_request_parse(const struct buffer *body, const struct config *config, struct job *job,
                      struct validation *validation, struct err *err)
{
    snprintf(job->language, sizeof(job->language), "python");
    job->limits = config_job_limits(config);
    if (body->size == 0) {
        complain(validation, "missing", NULL, "Field required");
        return -1;
    }
    struct json_fault fault;
    struct json_value *object = json_parse(body->data, body->size, &fault);
    if (!object) {
        validation_add_fault(validation, &fault);
        return -1;
    }
    int status = -1;
    if (json_kind_of(object) == JSON_KIND_OBJECT)
        status = take_members(object, config, job, validation, err);
    else
        complain(validation, "model_attributes_type", NULL,
                 "Input should be a valid dictionary or object to extract fields from");
    json_free(object);
    return status;
}
