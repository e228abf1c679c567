#include "api/cancel.h"

#include <string.h>

#include "api/app.h"
#include "api/job_name.h"
#include "api/json_writer.h"

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
complain(struct validation *validation, const char *type, const char *field, const char *message)
{
    validation_add(validation,
                   &(struct validation_error){.type = type, .field = field, .message = message});
}

static void
take_id(const struct json_value *object, char *name, struct validation *validation)
{
    const struct json_value *value;

    if (json_kind_of(object) != JSON_KIND_OBJECT) {
        complain(validation, "model_attributes_type", NULL,
                 "Input should be a valid dictionary or object to extract fields from");
        return;
    }
    value = json_member(object, "id");
    if (value)
        job_name_take(value, name, validation);
    else
        complain(validation, "missing", "id", "Field required");
}

static void
parse(const struct buffer *body, char *name, struct validation *validation)
{
    struct json_fault fault;

    if (body->size == 0) {
        complain(validation, "missing", NULL, "Field required");
        return;
    }
    struct json_value *object = json_parse(body->data, body->size, &fault);
    if (!object) {
        validation_add_fault(validation, &fault);
        return;
    }
    take_id(object, name, validation);
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
