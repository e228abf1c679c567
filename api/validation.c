#include "api/validation.h"

#include <stdio.h>

#include "api/error_body.h"
#include "api/http.h"
#include "api/json_writer.h"

static void
open_error(struct validation *validation, const char *type)
{
    if (validation->count++ > 0)
        buffer_putc(&validation->list, ',');
    buffer_putc(&validation->list, '{');
    json_put_text(&validation->list, "type", type);
    json_put_member(&validation->list, "loc");
    buffer_puts(&validation->list, "[\"body\"");
}

/* "files[0].name: Field required" */
static void
note_first(struct validation *validation, const struct validation_error *error)
{
    char number[32] = "";

    if (validation->count > 0)
        return;
    if (error->number > 0)
        snprintf(number, sizeof(number), "[%zu]", error->number - 1);
    if (error->field)
        snprintf(validation->param, sizeof(validation->param), "%s%s%s%s", error->field, number,
                 error->member ? "." : "", error->member ? error->member : "");
    snprintf(validation->message, sizeof(validation->message), "%s%s%s", validation->param,
             error->field ? ": " : "", error->message);
}

void
validation_add_fault(struct validation *validation, const struct json_fault *fault)
{
    struct buffer *list = &validation->list;
    char message[256];
    snprintf(message, sizeof(message), "JSON decode error: %s.", fault->sentence);
    note_first(validation, &(struct validation_error){.message = message});
    open_error(validation, fault->type);
    buffer_printf(list, ",%zu]", fault->position);
    json_put_text(list, "msg", message);
    json_put_member(list, "input");
    buffer_puts(list, "{}");
    json_put_member(list, "ctx");
    buffer_putc(list, '{');
    json_put_text(list, "error", fault->sentence);
    buffer_puts(list, "}}");
}

static void
put_input(struct buffer *list, const struct json_value *input)
{
    if (!input)
        return;
    enum json_kind kind = json_kind_of(input);
    if (kind != JSON_KIND_NUMBER && kind != JSON_KIND_NULL)
        return;
    json_put_member(list, "input");
    if (kind == JSON_KIND_NULL)
        buffer_puts(list, "null");
    else
        buffer_printf(list, "%.15g", json_number(input));
}

static void
put_step(struct buffer *list, const char *name)
{
    if (!name)
        return;
    buffer_putc(list, ',');
    json_put_string(list, name, strlen(name));
}

void
validation_add(struct validation *validation, const struct validation_error *error)
{
    struct buffer *list = &validation->list;
    if (validation->count == VALIDATION_MOST)
        return;
    note_first(validation, error);
    open_error(validation, error->type);
    put_step(list, error->field);
    if (error->number > 0)
        buffer_printf(list, ",%zu", error->number - 1);
    put_step(list, error->member);
    buffer_putc(list, ']');
    json_put_text(list, "msg", error->message);
    put_input(list, error->input);
    if (error->ctx) {
        json_put_member(list, "ctx");
        buffer_printf(list, "{%s}", error->ctx);
    }
    buffer_putc(list, '}');
}

void
validation_put(const struct validation *validation, struct buffer *out)
{
    buffer_puts(out, "{\"detail\":[");
    buffer_append(out, validation->list.data, validation->list.size);
    buffer_putc(out, ']');
    error_body_put_member(
        out, &(struct error_body){.status = HTTP_UNPROCESSABLE_CONTENT,
                                  .code = http_status_error(HTTP_UNPROCESSABLE_CONTENT),
                                  .sentence = validation->message,
                                  .param = validation->param[0] ? validation->param : NULL});
    buffer_putc(out, '}');
    out->failed = out->failed || validation->list.failed;
}

void
validation_fini(struct validation *validation)
{
    buffer_fini(&validation->list);
    validation->count = 0;
}
