#include "api/health.h"

#include "api/json_writer.h"
#include "api/routes.h"
#include "common/version.h"

void
health_index(struct exchange *exchange)
{
    struct buffer *body = &exchange->body;
    buffer_putc(body, '{');
    json_put_text(body, "service", "retort");
    json_put_text(body, "version", RETORT_VERSION);
    json_put_member(body, "endpoints");
    buffer_putc(body, '{');
    routes_put_list(body);
    buffer_puts(body, "}}");
    exchange_answer(exchange, HTTP_OK);
}

void
health_live(struct exchange *exchange)
{
    buffer_putc(&exchange->body, '{');
    json_put_text(&exchange->body, "status", "ok");
    json_put_text(&exchange->body, "version", RETORT_VERSION);
    buffer_putc(&exchange->body, '}');
    exchange_answer(exchange, HTTP_OK);
}
