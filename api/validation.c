#include "api/validation.h"

#include <stdio.h>

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

void
validation_add_fault(struct validation *validation, const struct json_fault *fault)
{
    struct buffer *list = &validation->list;
    char message[256];
    snprintf(message, sizeof(message), "JSON decode error: %s.", fault->sentence);
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
    buffer_puts(out, "]}");
    out->failed = out->failed || validation->list.failed;
}

void
validation_fini(struct validation *validation)
{
    buffer_fini(&validation->list);
    validation->count = 0;
}
