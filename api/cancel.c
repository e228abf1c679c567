#include "api/cancel.h"

#include <string.h>

#include "api/app.h"
#include "api/job_name.h"
#include "api/json_writer.h"
#include "api/request_body.h"

static void
on_cancelled(void *context, const char *state, const struct err *err)
{
    struct exchange *exchange = context;

    if (err) {
        exchange_fail_err(exchange, err);
        return;
    }
    if (strcmp(state, "missing") == 0) {
        exchange_fail(exchange, HTTP_NOT_FOUND, "No job with this id is known.");
        return;
    }
    buffer_putc(&exchange->body, '{');
    json_put_text(&exchange->body, "id", exchange->job_name);
    json_put_text(&exchange->body, "state", state);
    buffer_putc(&exchange->body, '}');
    exchange_answer(exchange, HTTP_OK);
}

static void
abandon(struct exchange *exchange)
{
    queue_cancel_forget(exchange->waiting_for);
}

static void
parse(const struct buffer *body, char *name, struct validation *validation)
{
    struct json_value *object = request_body_object(body, validation);

    if (!object)
        return;
    const struct json_value *value = json_member(object, "id");
    if (value)
        job_name_take(value, name, validation);
    else
        request_body_complain(validation, "missing", "id", "Field required");
    json_free(object);
}

static void
start(struct exchange *exchange)
{
    struct err err = ERR_INIT;
    struct queue_cancel *cancel =
        queue_cancel_start(exchange->app->queue, exchange->job_name, on_cancelled, exchange, &err);

    if (!cancel) {
        exchange_fail_err(exchange, &err);
        return;
    }
    exchange->waiting_for = cancel;
    exchange->abandon = abandon;
}

void
cancel_handle(struct exchange *exchange)
{
    struct validation validation = {.count = 0};

    parse(&exchange->request->body, exchange->job_name, &validation);
    if (validation.count > 0) {
        validation_put(&validation, &exchange->body);
        exchange_answer(exchange, HTTP_UNPROCESSABLE_CONTENT);
    } else {
        start(exchange);
    }
    validation_fini(&validation);
}
