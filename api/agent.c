#include "api/agent.h"

#include <stdio.h>

#include "api/app.h"
#include "api/json_writer.h"
#include "api/request_body.h"
#include "api/result_json.h"
#include "api/surface.h"
#include "common/surface_limits.h"

#define TIMEOUT_LEAST_S 1

static int
parse(struct exchange *exchange, struct job *job, struct validation *validation, struct err *err)
{
    const struct config *config = exchange->app->config;
    uint32_t timeout_ms = surface_timeout_ms(config, SURFACE_AGENT);
    struct json_value *object = request_body_object(&exchange->request->body, validation);
    if (!object)
        return -1;
    snprintf(job->language, sizeof(job->language), "python");
    int status = request_body_take_code(object, config, &job->code, validation, err);
    request_body_take_seconds(object, TIMEOUT_LEAST_S,
                              surface_timeout_most_ms(config, SURFACE_AGENT), &timeout_ms,
                              validation);
    job->limits = surface_limits(config, SURFACE_AGENT, timeout_ms);
    json_free(object);
    return status < 0 || validation->count > 0 ? -1 : 0;
}

static const char *
status_of(const struct result *result)
{
    switch (result->verdict) {
    case VERDICT_EXITED:
    case VERDICT_MEMORY_LIMIT:
        if (result->exit_code >= 0)
            return result->exit_code == 0 ? "success" : "error";
        return "failed";
    case VERDICT_TIMED_OUT:
    case VERDICT_CPU_LIMIT:
        return "timeout";
    case VERDICT_CRASHED:
    case VERDICT_CANCELLED:
    case VERDICT_NONE:
    case VERDICT_COUNT:
        break;
    }
    return "failed";
}

void
agent_put(const struct result *result, struct buffer *out)
{
    buffer_putc(out, '{');
    json_put_text(out, "status", status_of(result));
    json_put_bytes(out, "stdout", result->out.kept.data, result->out.kept.size);
    json_put_bytes(out, "stderr", result->err.kept.data, result->err.kept.size);
    json_put_seconds(out, "execution_time", result->exec_us);
    result_put_exit_code(out, "return_code", result);
    json_put_text(out, "verdict", verdict_name(result->verdict));
    if (result->detail[0])
        json_put_text(out, "detail", result->detail);
    buffer_putc(out, '}');
}

static void
answer_result(struct exchange *exchange, const struct result *result)
{
    agent_put(result, &exchange->body);
    exchange_answer(exchange, HTTP_OK);
}

void
agent_handle(struct exchange *exchange)
{
    static const struct surface surface = {parse, answer_result, NULL};
    surface_run(exchange, &surface);
}
