#include "api/run_request.h"

#include <stdio.h>
#include <string.h>

#include "api/execute_limits.h"
#include "api/request_body.h"
#include "api/run_texts.h"
#include "common/surface_limits.h"

#define METADATA_KEY_BYTES   64
#define METADATA_VALUE_BYTES 512

static void
complain_of_language(const struct app *app, struct validation *validation)
{
    char message[LANGUAGES_MOST * (JOB_LANGUAGE_SIZE + 4) + 64];
    size_t used =
        (size_t)snprintf(message, sizeof(message), "Value error, the languages here are ");

    for (size_t i = 0; i < app->languages.count && used < sizeof(message); i++)
        used += (size_t)snprintf(message + used, sizeof(message) - used, "%s%s", i > 0 ? ", " : "",
                                 app->languages.list[i].name);
    request_body_complain(validation, "value_error", "language", message);
}

static void
take_language(const struct json_value *object, const struct app *app, struct job *job,
              struct validation *validation)
{
    const struct json_value *value = json_member(object, "language");
    size_t size;

    if (!value) {
        request_body_complain(validation, "missing", "language", "Field required");
        return;
    }
    const char *text = request_body_text(value, "language", validation, &size);
    if (!text)
        return;
    if (size >= JOB_LANGUAGE_SIZE || strlen(text) != size || !languages_find(&app->languages, text))
        complain_of_language(app, validation);
    else
        memcpy(job->language, text, size + 1);
}

static const char *
metadata_fault(const struct json_value *object)
{
    const struct json_value *member;
    const char *name = NULL;
    unsigned count = 0;
    size_t size;

    if (json_kind_of(object) != JSON_KIND_OBJECT)
        return "Input should be a valid dictionary";
    while ((member = json_next_member(object, &name))) {
        if (++count > RUN_METADATA_MOST)
            return "Value error, there are more than 16 members";
        if (strlen(name) > METADATA_KEY_BYTES)
            return "Value error, a name has more than 64 bytes";
        if (json_kind_of(member) != JSON_KIND_STRING)
            return "Value error, all values must be strings";
        (void)json_text(member, &size);
        if (size > METADATA_VALUE_BYTES)
            return "Value error, a value has more than 512 bytes";
    }
    return NULL;
}

static void
take_metadata(const struct json_value *value, struct buffer *metadata,
              struct validation *validation)
{
    if (!value || json_kind_of(value) == JSON_KIND_NULL)
        return;
    const char *fault = metadata_fault(value);
    if (fault)
        request_body_complain(validation, "value_error", "metadata", fault);
    else
        json_put_value(metadata, value);
}

static void
take_wait(const struct json_value *value, bool *wait, struct validation *validation)
{
    if (!value || json_kind_of(value) == JSON_KIND_NULL)
        return;
    if (json_kind_of(value) == JSON_KIND_BOOL)
        *wait = json_bool(value);
    else
        request_body_complain(validation, "bool_type", "wait", "Input should be a valid boolean");
}

static int
take_members(const struct json_value *object, const struct app *app, struct run_request *request,
             struct validation *validation, struct err *err)
{
    struct job *job = &request->job;

    take_language(object, app, job, validation);
    if (request_body_take_code(object, app->config, &job->code, validation, err) < 0 ||
        request_body_take_stdin(object, app->config, &job->input, validation, err) < 0 ||
        run_texts_take_args(json_member(object, "args"), &job->args, validation, err) < 0 ||
        run_texts_take_env(json_member(object, "env"), &job->env, validation, err) < 0 ||
        run_files_take(json_member(object, "files"), app->config, &job->files, &request->files,
                       validation, err) < 0)
        return -1;
    execute_limits_take(json_member(object, "limits"), &job->limits, validation);
    take_metadata(json_member(object, "metadata"), &request->metadata, validation);
    take_wait(json_member(object, "wait"), &request->wait, validation);
    return validation->count ? -1 : 0;
}

int
run_request_parse(const struct buffer *body, const struct app *app, struct run_request *request,
                  struct validation *validation, struct err *err)
{
    uint32_t timeout_ms = surface_timeout_ms(app->config, SURFACE_V1);

    *request = (struct run_request){.wait = true};
    request->job.limits = surface_limits(app->config, SURFACE_V1, timeout_ms);
    request->job.events = true;
    struct json_value *object = request_body_object(body, validation);
    if (!object)
        return -1;
    int rc = take_members(object, app, request, validation, err);
    json_free(object);
    if (rc == 0 && request->metadata.failed)
        rc = err_set(err, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
    return rc;
}

void
run_request_fini(struct run_request *request)
{
    job_fini(&request->job);
    run_files_fini(&request->files);
    buffer_fini(&request->metadata);
}
