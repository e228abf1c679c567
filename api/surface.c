#include "api/surface.h"

#include <stdio.h>
#include <string.h>

#include "api/api_key.h"
#include "api/app.h"
#include "api/request_metrics.h"
#include "common/clock.h"

static void
answer_err(struct exchange *exchange, const struct err *err)
{
    if (exchange->surface->answer_err)
        exchange->surface->answer_err(exchange, err);
    else if (err->code == ERR_REJECTED && exchange->job_name[0] && !exchange->ran)
        exchange_fail(exchange, HTTP_CONFLICT, err->text); /* by the queue: the name is known */
    else
        exchange_fail_err(exchange, err);
}

struct queue_submit
surface_submit_options(const struct app *app, const char *name)
{
    return (struct queue_submit){.name = name,
                                 .max_depth = (uint32_t)app->config->max_queue_depth,
                                 .max_wait_ms = (uint32_t)app->config->max_queue_wait_ms,
                                 .max_attempts = (uint32_t)app->config->max_attempts};
}

void
surface_note_begin(void)
{
    metrics_shift(METRIC_REQUESTS_IN_FLIGHT, METRIC_ONLY, 1);
}

static void
note_usage(struct app *app, const struct surface_asked *asked, const struct result *result)
{
    struct usage_amounts amounts = {.runs = 1,
                                    .cpu_us = result->cpu_us,
                                    .exec_us = result->exec_us,
                                    .output_bytes = result->out.kept.size + result->err.kept.size,
                                    .file_bytes = asked->file_bytes};
    for (size_t i = 0; i < result->artifacts.count; i++)
        amounts.file_bytes += result->artifacts.list[i].data.size;
    if (asked->label)
        usage_note(app, asked->label, &amounts);
}

void
surface_note_end(struct app *app, const struct surface_asked *asked, const struct result *result,
                 const struct err *err)
{
    metrics_shift(METRIC_REQUESTS_IN_FLIGHT, METRIC_ONLY, -1);
    request_metrics_job(asked->language, result, err, clock_monotonic_us() - asked->started_us);
    if (!err && result->error == ERR_NONE && result->verdict != VERDICT_CANCELLED)
        probe_note_run(&app->probe);
    if (!err && result->error == ERR_NONE)
        note_usage(app, asked, result);
}

static void
on_job_answer(void *context, const struct result *result, const struct err *err)
{
    struct exchange *exchange = context;
    const struct surface_asked asked = {.language = exchange->language,
                                        .started_us = exchange->started_us,
                                        .label = exchange->caller ? exchange->caller->label : NULL,
                                        .file_bytes = exchange->file_bytes};
    surface_note_end(exchange->app, &asked, result, err);
    exchange->ran = result != NULL;
    if (err) {
        answer_err(exchange, err);
        return;
    }
    if (result->error == ERR_NONE) {
        exchange->surface->answer_result(exchange, result);
        return;
    }
    struct err own = {.code = result->error};
    snprintf(own.text, sizeof(own.text), "%s",
             result->detail[0] ? result->detail : err_code_text(result->error));
    answer_err(exchange, &own);
}

static void
abandon(struct exchange *exchange)
{
    queue_request_cancel(exchange->waiting_for);
    metrics_shift(METRIC_REQUESTS_IN_FLIGHT, METRIC_ONLY, -1);
    metrics_add(METRIC_JOBS,
                METRIC_SERIES(exchange->language, metrics_outcome(ERR_NONE, VERDICT_CANCELLED)), 1);
}

static int
submit(struct exchange *exchange, struct job *job, struct err *err)
{
    const struct app *app = exchange->app;
    /* Its own id is ours to choose: what is under way of a job must not meet what is of another. */
    const struct queue_submit how =
        surface_submit_options(app, exchange->job_name[0] ? exchange->job_name : NULL);
    exchange->language = metrics_language(job->language);
    exchange->file_bytes = job_files_bytes(&job->files);
    memcpy(job->request_id, exchange->request_id, sizeof(job->request_id));
    if (job_new_id(job->id, err) < 0)
        return -1;
    struct queue_request *request =
        queue_submit(app->queue, job, &how, on_job_answer, exchange, err);
    if (!request)
        return -1;
    snprintf(exchange->job_id, sizeof(exchange->job_id), "%s", job->id);
    exchange->waiting_for = request;
    exchange->abandon = abandon;
    surface_note_begin();
    return 0;
}

void
surface_run(struct exchange *exchange, const struct surface *surface)
{
    struct job job = {.id = ""};
    struct validation validation = {.count = 0};
    struct err err = ERR_INIT;
    exchange->surface = surface;
    exchange->job_name[0] = '\0';
    exchange->ran = false;
    if (surface->parse(exchange, &job, &validation, &err) < 0) {
        if (validation.count > 0) {
            validation_put(&validation, &exchange->body);
            exchange_answer(exchange, HTTP_UNPROCESSABLE_CONTENT);
        } else {
            answer_err(exchange, &err);
        }
    } else if (submit(exchange, &job, &err) < 0) {
        request_metrics_job(exchange->language, NULL, &err, 0);
        answer_err(exchange, &err);
    }
    validation_fini(&validation);
    job_fini(&job);
}
