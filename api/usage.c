#include "api/usage.h"

#include <stdio.h>
#include <time.h>

#include "api/app.h"
#include "api/json_writer.h"

REDIS_SCRIPT_EMBED(usage_add_text, "api/scripts/usage_add.lua");
REDIS_SCRIPT_EMBED(usage_read_text, "api/scripts/usage_read.lua");

#define DAYS_MOST 40
#define DAY_S     86400

static const struct counter {
    const char *field, *shown;
    uint64_t divisor;
} counters[] = {
#define USAGE_COUNTER(field, shown, divisor) {#field, shown, divisor},
#define USAGE_AMOUNT(field, shown, divisor)  {#field, shown, divisor},
#include "api/usage.def"
#undef USAGE_COUNTER
#undef USAGE_AMOUNT
};

#define COUNTER_COUNT (sizeof(counters) / sizeof(counters[0]))

void
usage_init(struct usage *usage)
{
    *usage = (struct usage){.add = REDIS_SCRIPT_INIT(usage_add_text),
                            .read = REDIS_SCRIPT_INIT(usage_read_text)};
}

void
usage_fini(struct usage *usage)
{
    redis_script_fini(&usage->add);
    redis_script_fini(&usage->read);
}

/* ---- noting ---- */

static void
on_nothing(void *context, const struct redis_reply *reply, const struct err *err)
{
    (void)context, (void)reply, (void)err;
}

static void
add_pair(struct redis_command *command, const char *field, uint64_t amount)
{
    if (amount == 0)
        return;
    redis_command_add_text(command, field);
    redis_command_add_int(command, (int64_t)amount);
}

void
usage_note(struct app *app, const char *label, const struct usage_amounts *amounts)
{
    struct redis_script *script = &app->usage.add;
    struct redis_command command;
    struct err err = ERR_INIT;

    if (!label)
        return;
    redis_script_begin(script, &command);
    redis_command_add_text(&command, app->config->redis_prefix);
    redis_command_add_text(&command, label);
#define USAGE_COUNTER(field, shown, divisor)
#define USAGE_AMOUNT(field, shown, divisor) add_pair(&command, #field, amounts->field);
#include "api/usage.def"
#undef USAGE_COUNTER
#undef USAGE_AMOUNT
    (void)redis_script_send(script, app->records, &command, on_nothing, NULL, &err);
}

/* ---- GET /v1/usage ---- */

static void
put_day(struct buffer *out, const struct redis_reply *day)
{
    time_t second = (time_t)redis_reply_int(redis_reply_item(day, 0), 0) * DAY_S;
    struct tm parts;
    char date[16];

    strftime(date, sizeof(date), "%Y-%m-%d", gmtime_r(&second, &parts));
    buffer_putc(out, '{');
    json_put_text(out, "date", date);
    for (size_t i = 0; i < COUNTER_COUNT; i++) {
        int64_t value = redis_reply_int(redis_reply_item(day, i + 1), 0);
        json_put_uint(out, counters[i].shown,
                      value > 0 ? (uint64_t)value / counters[i].divisor : 0);
    }
    buffer_putc(out, '}');
}

static void
on_read(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct exchange *exchange = context;
    struct buffer *body = &exchange->body;

    if (err) {
        exchange_fail(exchange, HTTP_UNAVAILABLE, "Redis cannot be asked; try again in a moment.");
        return;
    }
    buffer_putc(body, '{');
    json_put_text(body, "object", "usage");
    json_put_text(body, "label", exchange_owner(exchange));
    json_put_member(body, "days");
    buffer_putc(body, '[');
    for (size_t i = 0; i < redis_reply_count(reply); i++) {
        if (i > 0)
            buffer_putc(body, ',');
        put_day(body, redis_reply_item(reply, i));
    }
    buffer_puts(body, "]}");
    exchange_answer(exchange, HTTP_OK);
}

static void
abandon(struct exchange *exchange)
{
    redis_script_forget(exchange->waiting_for);
}

/* 0: not a number from 1 to DAYS_MOST. */
static uint64_t
wanted_days(const char *query)
{
    uint64_t days;

    if (query[0] == '\0')
        return DAYS_MOST;
    if (strncmp(query, "days=", 5) != 0 || !config_parse_uint(query + 5, &days))
        return 0;
    return days <= DAYS_MOST ? days : 0;
}

void
usage_handle(struct exchange *exchange)
{
    struct app *app = exchange->app;
    struct redis_command command;
    struct err err = ERR_INIT;
    uint64_t days = wanted_days(exchange->request->query);

    if (!exchange->caller) {
        exchange_fail(exchange, HTTP_FORBIDDEN,
                      "Usage is counted for keys, and this service has none.");
        return;
    }
    if (days == 0) {
        exchange_fail_param(exchange, HTTP_BAD_REQUEST, "days",
                            "The only parameter is days, a whole number from 1 to 40.");
        return;
    }
    redis_script_begin(&app->usage.read, &command);
    redis_command_add_text(&command, app->config->redis_prefix);
    redis_command_add_text(&command, exchange->caller->label);
    redis_command_add_int(&command, (int64_t)days);
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        redis_command_add_text(&command, counters[i].field);
    exchange->waiting_for =
        redis_script_send(&app->usage.read, app->records, &command, on_read, exchange, &err);
    if (exchange->waiting_for)
        exchange->abandon = abandon;
    else
        exchange_fail(exchange, HTTP_UNAVAILABLE, "Redis cannot be asked; try again in a moment.");
}
