#include "api/health.h"

#include <string.h>

#include "api/app.h"
#include "api/fleet.h"
#include "api/json_writer.h"
#include "api/routes.h"
#include "common/version.h"

void
health_put_languages(struct buffer *out, const char *name, const struct languages *languages)
{
    json_put_member(out, name);
    buffer_putc(out, '[');
    for (size_t i = 0; i < languages->count; i++) {
        const char *language = languages->list[i].name;
        if (i > 0)
            buffer_putc(out, ',');
        json_put_string(out, language, strlen(language));
    }
    buffer_putc(out, ']');
}

void
health_index(struct exchange *exchange)
{
    struct buffer *body = &exchange->body;
    buffer_putc(body, '{');
    json_put_text(body, "service", "retort");
    json_put_text(body, "message", "Code execution API");
    json_put_text(body, "version", RETORT_VERSION);
    health_put_languages(body, "supported_languages", &exchange->app->languages);
    json_put_member(body, "endpoints");
    buffer_putc(body, '{');
    routes_put_list(body);
    buffer_puts(body, "}}");
    exchange_answer(exchange, HTTP_OK);
}

/* NULL: nothing is known of it. */
static const struct queue_language *
find_language(const struct queue_fleet *fleet, const char *name)
{
    for (uint32_t i = 0; fleet && i < fleet->language_count; i++)
        if (strcmp(fleet->languages[i].name, name) == 0)
            return &fleet->languages[i];
    return NULL;
}

static void
put_runtime(const char *name, const struct queue_language *seen, struct buffer *body)
{
    json_put_member(body, name);
    buffer_putc(body, '{');
    json_put_bool(body, "available", seen && seen->workers > 0);
    json_put_uint(body, "workers", seen ? seen->workers : 0);
    json_put_uint(body, "slots", seen ? seen->slots : 0);
    json_put_uint(body, "busy", seen ? seen->busy : 0);
    json_put_uint(body, "queued", seen ? seen->depth : 0);
    buffer_putc(body, '}');
}

void
health_runtimes(struct exchange *exchange)
{
    const struct languages *languages = &exchange->app->languages;
    const struct queue_fleet *fleet = fleet_view(exchange->app);
    struct buffer *body = &exchange->body;
    size_t served = 0;
    for (size_t i = 0; i < languages->count; i++) {
        const struct queue_language *seen = find_language(fleet, languages->list[i].name);
        served += seen && seen->workers > 0;
    }
    buffer_putc(body, '{');
    json_put_text(body, "status", served == languages->count ? "healthy" : "degraded");
    json_put_text(body, "version", RETORT_VERSION);
    /* The name that clients know for "programs run in isolation". */
    json_put_bool(body, "docker_available", served > 0);
    json_put_member(body, "runtimes");
    buffer_putc(body, '{');
    for (size_t i = 0; i < languages->count; i++) {
        const char *name = languages->list[i].name;
        put_runtime(name, find_language(fleet, name), body);
    }
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
