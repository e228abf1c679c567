#include "api/execute.h"

#include <stdio.h>

#include "api/app.h"
#include "api/execute_request.h"
#include "api/execute_response.h"
#include "common/clock.h"

static void
on_job_answer(void *context, const struct result *result, const struct err *err)
{
    struct exchange *exchange = context;
    if (err) {
        exchange_fail_err(exchange, err);
        return;
    }
    if (result->error != ERR_NONE) {
        struct err own = {.code = result->error};
        snprintf(own.text, sizeof(own.text), "%s",
                 result->detail[0] ? result->detail : err_code_text(result->error));
        exchange_fail_err(exchange, &own);
        return;
    }
    execute_response_put(result, clock_monotonic_us() - exchange->started_us, &exchange->body);
    exchange_answer(exchange, HTTP_OK);
}

static void
abandon(struct exchange *exchange)
{
    queue_request_cancel(exchange->waiting_for);
}

static int
submit(struct exchange *exchange, struct job *job, struct err *err)
{
    const struct app *app = exchange->app;
    const struct queue_submit how = {.max_depth = (uint32_t)app->config->max_queue_depth,
                                     .max_wait_ms = (uint32_t)app->config->max_queue_wait_ms};
    if (job_new_id(job->id, err) < 0)
        return -1;
    struct queue_request *request =
        queue_submit(app->queue, job, &how, on_job_answer, exchange, err);
    if (!request)
        return -1;
    snprintf(exchange->job_id, sizeof(exchange->job_id), "%s", job->id);
    exchange->waiting_for = request;
    exchange->abandon = abandon;
    return 0;
}

void
execute_handle(struct exchange *exchange)
{
    struct job job = {.id = ""};
    struct validation validation = {.count = 0};
    struct err err = ERR_INIT;
    if (execute_request_parse(&exchange->request->body, exchange->app->config, &job, &validation,
                              &err) < 0) {
        if (validation.count > 0) {
            validation_put(&validation, &exchange->body);
            exchange_answer(exchange, HTTP_UNPROCESSABLE_CONTENT);
        } else {
            exchange_fail_err(exchange, &err);
        }
    } else if (submit(exchange, &job, &err) < 0) {
        exchange_fail_err(exchange, &err);
    }
    validation_fini(&validation);
    job_fini(&job);
}
