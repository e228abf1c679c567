#include "api/snippet.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/app.h"
#include "api/json_writer.h"
#include "api/request_body.h"
#include "api/surface.h"
#include "common/surface_limits.h"
#include "common/utf8.h"

/* Of a client's own words in our sentences. */
#define SHOWN_BYTES 40

static size_t
characters(const struct bytes *text)
{
    size_t count = 0;
    for (size_t i = 0; i < text->size; i++)
        count += ((unsigned char)text->data[i] & 0xc0) != 0x80; /* valid UTF-8: JSON was parsed */
    return count;
}

static int
check_code(const struct app *app, const struct bytes *code, struct err *err)
{
    uint64_t most = app->config->execute_max_code_chars;
    size_t line, count = characters(code);
    if (count > most)
        return err_set(err, ERR_INVALID, 0,
                       "Code too long: it has %zu characters; EXECUTE_MAX_CODE_CHARS allows "
                       "%" PRIu64 ".",
                       count, most);
    const char *pattern = code_patterns_find(app->patterns, code->data, code->size, &line);
    if (pattern)
        return err_set(err, ERR_INVALID, 0,
                       "Potentially dangerous operation detected: %s in line %zu. "
                       "Write it without, or send it to /v1/execute, which looks for none.",
                       pattern, line);
    return 0;
}

static int
refuse_language(const struct languages *languages, const char *name, size_t size, struct err *err)
{
    char installed[LANGUAGES_MOST * (JOB_LANGUAGE_SIZE + 2)] = "";
    for (size_t i = 0; i < languages->count; i++) {
        size_t used = strlen(installed);
        snprintf(installed + used, sizeof(installed) - used, "%s%s", used ? ", " : "",
                 languages->list[i].name);
    }
    return err_set(err, ERR_INVALID, 0,
                   "Unsupported language: %.*s is not installed here; installed: %s.",
                   (int)utf8_cut(name, size < SHOWN_BYTES ? size : SHOWN_BYTES), name, installed);
}

static int
take_language(const struct app *app, const struct json_value *object, struct job *job,
              struct validation *validation, struct err *err)
{
    const struct json_value *value = json_member(object, "language");
    size_t size;
    if (!value) {
        request_body_complain(validation, "missing", "language", "Field required");
        return 0;
    }
    const char *name = request_body_text(value, "language", validation, &size);
    if (!name)
        return 0;
    if (strlen(name) != size || !languages_find(&app->languages, name))
        return refuse_language(&app->languages, name, size, err);
    snprintf(job->language, sizeof(job->language), "%s", name);
    return 0;
}

static int
parse(struct exchange *exchange, struct job *job, struct validation *validation, struct err *err)
{
    const struct app *app = exchange->app;
    uint32_t timeout_ms = surface_timeout_ms(app->config, SURFACE_SNIPPET);
    struct json_value *object = request_body_object(&exchange->request->body, validation);
    if (!object)
        return -1;
    int status = request_body_take_code(object, app->config, &job->code, validation, err);
    request_body_take_seconds(object, 0, surface_timeout_most_ms(app->config, SURFACE_SNIPPET),
                              &timeout_ms, validation);
    job->limits = surface_limits(app->config, SURFACE_SNIPPET, timeout_ms);
    exchange->refused_param = "language";
    if (status == 0)
        status = take_language(app, object, job, validation, err);
    json_free(object);
    if (status < 0 || validation->count > 0)
        return -1;
    exchange->refused_param = "code";
    return check_code(app, &job->code, err);
}

/* Why it did not succeed: our sentence where the program was stopped, then what it said. */
static void
put_error(struct buffer *body, const struct result *result, bool exited)
{
    const struct bytes *said = &result->err.kept;
    struct buffer text = {0};
    if (!exited)
        buffer_printf(&text, "%s%s%s%s\n", verdict_text(result->verdict),
                      result->detail[0] ? " (" : "", result->detail, result->detail[0] ? ")" : "");
    else if (said->size == 0)
        buffer_printf(&text, "The program ended with exit code %d.\n", (int)result->exit_code);
    buffer_append(&text, said->data, said->size);
    json_put_bytes(body, "error", text.data, text.size);
    body->failed = body->failed || text.failed;
    buffer_fini(&text);
}

void
snippet_put(const struct result *result, struct buffer *out)
{
    bool exited = (result->verdict == VERDICT_EXITED || result->verdict == VERDICT_MEMORY_LIMIT) &&
                  result->exit_code >= 0;
    bool success = exited && result->exit_code == 0;
    buffer_putc(out, '{');
    json_put_bytes(out, "output", result->out.kept.data, result->out.kept.size);
    if (success)
        json_put_text(out, "error", NULL);
    else
        put_error(out, result, exited);
    json_put_seconds(out, "execution_time", result->exec_us);
    json_put_bool(out, "success", success);
    json_put_text(out, "verdict", verdict_name(result->verdict));
    buffer_putc(out, '}');
}

static void
answer_result(struct exchange *exchange, const struct result *result)
{
    snippet_put(result, &exchange->body);
    exchange_answer(exchange, HTTP_OK);
}

/* What this surface refuses by rules of its own is a 400 there, as its clients know it. */
static void
answer_err(struct exchange *exchange, const struct err *err)
{
    if (err->code == ERR_INVALID)
        exchange_fail_param(exchange, HTTP_BAD_REQUEST, exchange->refused_param, err->text);
    else
        exchange_fail_err(exchange, err);
}

void
snippet_handle(struct exchange *exchange)
{
    static const struct surface surface = {parse, answer_result, answer_err};
    surface_run(exchange, &surface);
}
