#include "api/fleet_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/app.h"
#include "api/failures.h"
#include "api/fleet.h"
#include "api/json_writer.h"
#include "common/metrics_read.h"
#include "common/version.h"

REDIS_SCRIPT_EMBED(fleet_workers_text, "api/scripts/workers.lua");

#define WORKERS_SHOWN 256

void
fleet_page_init(struct redis_script *workers)
{
    *workers = (struct redis_script)REDIS_SCRIPT_INIT(fleet_workers_text);
}

/* A value of an array or object: behind a comma unless it is the first. */
static void
next_value(struct buffer *out, char opening)
{
    char last = out->size > 0 ? out->data[out->size - 1] : '[';

    if (last != '[' && last != '{' && last != ':')
        buffer_putc(out, ',');
    buffer_putc(out, opening);
}

static void
begin_list(struct buffer *out, const char *name)
{
    json_put_member(out, name);
    buffer_putc(out, '[');
}

/* ---- queues ---- */

static void
put_languages(const struct queue_fleet *fleet, struct buffer *out)
{
    begin_list(out, "languages");
    for (uint32_t i = 0; fleet && i < fleet->language_count; i++) {
        const struct queue_language *language = &fleet->languages[i];
        next_value(out, '{');
        json_put_text(out, "name", language->name);
        json_put_uint(out, "queued", language->depth);
        json_put_uint(out, "workers", language->workers);
        json_put_uint(out, "slots", language->slots);
        json_put_uint(out, "busy", language->busy);
        buffer_putc(out, '}');
    }
    buffer_putc(out, ']');
}

/* ---- workers ---- */

/* A number that a worker has written, or 0. */
static uint64_t
number_of(const char *text)
{
    uint64_t number = 0;

    return text && config_parse_uint(text, &number) ? number : 0;
}

static const char *
field(const struct redis_reply *hash, const char *name)
{
    size_t size;

    for (size_t i = 0; i + 1 < redis_reply_count(hash); i += 2) {
        const char *key = redis_reply_bytes(redis_reply_item(hash, i), &size);
        if (key && strcmp(key, name) == 0)
            return redis_reply_bytes(redis_reply_item(hash, i + 1), &size);
    }
    return NULL;
}

static void
put_slots(const struct redis_reply *hash, struct buffer *out)
{
    static const char prefix[] = "slots:";
    char busy[JOB_LANGUAGE_SIZE + sizeof("busy:")];
    size_t size;

    begin_list(out, "languages");
    for (size_t i = 0; i + 1 < redis_reply_count(hash); i += 2) {
        const char *key = redis_reply_bytes(redis_reply_item(hash, i), &size);
        if (!key || strncmp(key, prefix, sizeof(prefix) - 1) != 0)
            continue;
        const char *language = key + sizeof(prefix) - 1;
        snprintf(busy, sizeof(busy), "busy:%s", language);
        next_value(out, '{');
        json_put_text(out, "name", language);
        json_put_uint(out, "slots",
                      number_of(redis_reply_bytes(redis_reply_item(hash, i + 1), &size)));
        json_put_uint(out, "busy", number_of(field(hash, busy)));
        buffer_putc(out, '}');
    }
    buffer_putc(out, ']');
}

static void
put_worker(const struct redis_reply *row, struct buffer *out)
{
    const struct redis_reply *hash = redis_reply_item(row, 2);
    int64_t age_ms = redis_reply_int(redis_reply_item(row, 0), 0);
    bool lives = redis_reply_count(hash) > 0 && age_ms < FLEET_FRESH_MS;
    size_t size = 0;
    const char *id = redis_reply_bytes(redis_reply_item(row, 1), &size);

    next_value(out, '{');
    json_put_bytes(out, "id", id ? id : "", size);
    json_put_text(out, "state", lives ? field(hash, "state") : "lost");
    json_put_uint(out, "beat_age_ms", age_ms < 0 ? 0 : (uint64_t)age_ms);
    json_put_text(out, "host", field(hash, "host"));
    json_put_text(out, "version", field(hash, "version"));
    json_put_uint(out, "started_at", number_of(field(hash, "started")) / 1000);
    put_slots(hash, out);
    buffer_putc(out, '}');
}

/* ---- numbers ---- */

static void
put_jobs(struct buffer *out)
{
    const struct metric_names *languages = metrics_read_names(METRIC_LABEL_LANGUAGE);
    const struct metric_names *outcomes = metrics_read_names(METRIC_LABEL_OUTCOME);

    begin_list(out, "jobs");
    for (unsigned i = 0; i < languages->count; i++) {
        for (unsigned j = 0; j < outcomes->count; j++) {
            uint64_t count = metrics_read(METRIC_JOBS, METRIC_SERIES(i, j));
            if (count == 0)
                continue;
            next_value(out, '{');
            json_put_text(out, "language", languages->list[i]);
            json_put_text(out, "outcome", outcomes->list[j]);
            json_put_uint(out, "count", count);
            buffer_putc(out, '}');
        }
    }
    buffer_putc(out, ']');
}

/* Of all languages together. */
static void
put_histogram(struct buffer *out, const char *name, enum metric metric)
{
    size_t languages = metrics_read_names(METRIC_LABEL_LANGUAGE)->count;
    uint64_t sums[METRICS_READ_BUCKETS] = {0}, counts[METRICS_READ_BUCKETS];

    for (unsigned language = 0; language < languages; language++) {
        metrics_read_histogram(metric, METRIC_SERIES(language), counts);
        for (size_t i = 0; i < METRICS_READ_BUCKETS; i++)
            sums[i] += counts[i];
    }
    begin_list(out, name);
    for (size_t i = 0; i < METRICS_READ_BUCKETS; i++)
        buffer_printf(out, "%s%" PRIu64, i > 0 ? "," : "", sums[i]);
    buffer_putc(out, ']');
}

static void
put_latency(struct buffer *out)
{
    const uint64_t *bounds_us = metrics_read_bounds_us();

    json_put_member(out, "latency");
    buffer_putc(out, '{');
    begin_list(out, "bounds_ms");
    for (size_t i = 0; i + 1 < METRICS_READ_BUCKETS; i++)
        buffer_printf(out, "%s%g", i > 0 ? "," : "", (double)bounds_us[i] / 1000);
    buffer_putc(out, ']');
    put_histogram(out, "queue", METRIC_JOB_QUEUE);
    put_histogram(out, "execution", METRIC_JOB_EXECUTION);
    put_histogram(out, "total", METRIC_JOB_TOTAL);
    buffer_putc(out, '}');
}

static const char *
name_at(enum metric_label label, unsigned number)
{
    const struct metric_names *names = metrics_read_names(label);

    return number < names->count ? names->list[number] : "other";
}

static void
put_failures(struct buffer *out)
{
    struct failure list[FAILURES_KEPT];
    size_t count = failures_list(list);

    begin_list(out, "failures");
    for (size_t i = 0; i < count; i++) {
        next_value(out, '{');
        json_put_uint(out, "at_ms", list[i].time_ms);
        json_put_text(out, "language", name_at(METRIC_LABEL_LANGUAGE, list[i].language));
        json_put_text(out, "outcome", name_at(METRIC_LABEL_OUTCOME, list[i].outcome));
        json_put_ms(out, "queue_ms", list[i].queue_us);
        json_put_ms(out, "exec_ms", list[i].exec_us);
        buffer_putc(out, '}');
    }
    buffer_putc(out, ']');
}

/* ---- the answer ---- */

/* Up to and with `"workers":[`. */
static void
put_head(const struct app *app, struct buffer *out)
{
    const struct queue_fleet *fleet = fleet_view(app);

    buffer_putc(out, '{');
    json_put_text(out, "object", "fleet");
    json_put_text(out, "version", RETORT_VERSION);
    json_put_bool(out, "redis_up", queue_client_connected(app->queue));
    json_put_uint(out, "dead_letters", fleet ? fleet->dead_letters : 0);
    json_put_uint(out, "in_flight", metrics_read(METRIC_REQUESTS_IN_FLIGHT, METRIC_ONLY));
    json_put_uint(out, "retried", metrics_read(METRIC_JOBS_RETRIED, METRIC_ONLY));
    json_put_uint(out, "lost", metrics_read(METRIC_JOBS_LOST, METRIC_ONLY));
    put_languages(fleet, out);
    put_jobs(out);
    put_latency(out);
    put_failures(out);
    begin_list(out, "workers");
}

/* Without Redis there are no heartbeats to tell, and the rest is told all the same. */
static void
on_workers(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct exchange *exchange = context;
    struct buffer *out = &exchange->body;

    put_head(exchange->app, out);
    for (size_t i = 0; !err && i < redis_reply_count(reply); i++)
        put_worker(redis_reply_item(reply, i), out);
    buffer_puts(out, "]}");
    exchange_answer(exchange, HTTP_OK);
}

static void
abandon(struct exchange *exchange)
{
    redis_script_forget(exchange->waiting_for);
}

void
fleet_page_handle(struct exchange *exchange)
{
    struct app *app = exchange->app;
    struct redis_command command;
    struct err err = ERR_INIT;

    redis_script_begin(&app->fleet_workers, &command);
    redis_command_add_text(&command, app->config->redis_prefix);
    redis_command_add_int(&command, WORKERS_SHOWN);
    exchange->waiting_for =
        redis_script_send(&app->fleet_workers, app->records, &command, on_workers, exchange, &err);
    if (exchange->waiting_for)
        exchange->abandon = abandon;
    else
        on_workers(exchange, NULL, &err);
}
