#include "api/execute_request.h"

#include <stdio.h>
#include <string.h>

#include "api/execute_files.h"
#include "api/execute_limits.h"
#include "api/job_name.h"
#include "api/request_body.h"
#include "common/surface_limits.h"

static int
take_members(const struct json_value *object, const struct config *config, struct job *job,
             struct validation *validation, struct err *err)
{
    if (request_body_take_code(object, config, &job->code, validation, err) < 0 ||
        request_body_take_stdin(object, config, &job->input, validation, err) < 0 ||
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
    job->limits = surface_limits(config, SURFACE_V1, surface_timeout_ms(config, SURFACE_V1));
    struct json_value *object = request_body_object(body, validation);
    if (!object)
        return -1;
    int status = take_members(object, config, job, validation, err);
    json_free(object);
    return status;
}
