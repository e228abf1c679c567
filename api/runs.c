#include "api/runs_internal.h"

#include <stdlib.h>
#include <string.h>

#include "api/json_writer.h"
#include "api/query.h"

#define TICK_S        1
#define LIMIT_DEFAULT 20
#define LIMIT_MOST    100
#define NO_SUCH_RUN   "There is no such run."

/* ---- of the process ---- */

static void
on_tick(evutil_socket_t fd, short events, void *context)
{
    struct runs *runs = context;

    (void)fd;
    (void)events;
    if (!redis_connection_up(runs->app->records))
        return;
    run_end_retry(runs);
    run_sweep(runs);
}

struct runs *
runs_new(struct app *app, struct err *err)
{
    const struct timeval interval = {.tv_sec = TICK_S};
    struct runs *runs = calloc(1, sizeof(*runs));

    if (runs) {
        runs->app = app;
        run_records_init(&runs->records, app);
        runs->tick = event_new(app->base, -1, EV_PERSIST, on_tick, runs);
    }
    if (runs && runs->tick && event_add(runs->tick, &interval) == 0)
        return runs;
    runs_free(runs);
    err_set(err, ERR_SYSTEM, 0, "no memory for runs");
    return NULL;
}

void
runs_free(struct runs *runs)
{
    if (!runs)
        return;
    run_free_all(runs);
    while (!LIST_EMPTY(&runs->ends))
        run_end_free(LIST_FIRST(&runs->ends));
    run_records_fini(&runs->records);
    if (runs->tick)
        event_free(runs->tick);
    free(runs);
}

/* ---- one run ---- */

static bool
has_run_id(struct exchange *exchange)
{
    if (run_id_is_good(exchange->path_id))
        return true;
    exchange_fail(exchange, HTTP_NOT_FOUND, NO_SUCH_RUN);
    return false;
}

void
runs_get(struct exchange *exchange)
{
    if (has_run_id(exchange))
        run_watch_answer(exchange, exchange->path_id, false, HTTP_OK);
}

/* ---- cancelling ---- */

#define CANCEL_LOOK_MS 10
/* A worker that does not end a job within this is away. */
#define CANCEL_LOOKS   200

struct cancelling {
    struct exchange *exchange;
    struct run_watch *watch;
    unsigned looks;
};

static void
abandon_cancelling(struct exchange *exchange)
{
    struct cancelling *cancelling = exchange->waiting_for;

    run_watch_free(cancelling->watch);
    free(cancelling);
}

static void
cancel_job(const struct exchange *exchange)
{
    struct err err = ERR_INIT;
    struct queue_cancel *cancel = queue_cancel_start(
        exchange->app->queue, exchange->path_id + strlen(RUN_ID_PREFIX), NULL, NULL, &err);

    if (cancel)
        queue_cancel_forget(cancel);
}

/* The first look tells whether the run is the caller's; the others, when it has ended. */
static bool
on_cancel_look(void *context, const struct run_found *found, const struct redis_reply *events,
               const struct err *err)
{
    struct cancelling *cancelling = context;
    struct exchange *exchange = cancelling->exchange;

    (void)events;
    if (found && !found->ended && cancelling->looks < CANCEL_LOOKS) {
        if (cancelling->looks++ % 10 == 0) /* the first time its job may not be in the queue yet */
            cancel_job(exchange);
        return true;
    }
    free(cancelling);
    if (err) {
        exchange_fail_err(exchange, err);
    } else if (!found) {
        exchange_fail(exchange, HTTP_NOT_FOUND, NO_SUCH_RUN);
    } else {
        if (found->ended)
            run_found_put(exchange, found, &exchange->body);
        else
            run_object_put_open(&exchange->body, &found->facts, found->claimed_us);
        exchange_answer(exchange, HTTP_OK);
    }
    return false;
}

void
runs_cancel(struct exchange *exchange)
{
    struct err err = {.code = ERR_UNAVAILABLE};

    if (!has_run_id(exchange))
        return;
    struct cancelling *cancelling = calloc(1, sizeof(*cancelling));
    const struct run_watch_options options = {.id = exchange->path_id,
                                              .owner = exchange_owner(exchange),
                                              .interval_ms = CANCEL_LOOK_MS,
                                              .on_look = on_cancel_look,
                                              .context = cancelling};
    if (cancelling) {
        cancelling->exchange = exchange;
        cancelling->watch = run_watch_new(exchange->app->runs, &options, &err);
    }
    if (!cancelling || !cancelling->watch) {
        free(cancelling);
        exchange_fail_err(exchange, &err);
        return;
    }
    exchange->waiting_for = cancelling;
    exchange->abandon = abandon_cancelling;
}

/* ---- pages ---- */

static bool
take_limit(struct exchange *exchange, unsigned *limit)
{
    char text[16];
    uint64_t number = LIMIT_DEFAULT;
    int got = query_get(exchange->request->query, "limit", text, sizeof(text));

    if (got < 0 || (got > 0 && !config_parse_uint(text, &number)) || number < 1 ||
        number > LIMIT_MOST) {
        exchange_fail_param(exchange, HTTP_UNPROCESSABLE_CONTENT, "limit",
                            "limit is a number from 1 to 100.");
        return false;
    }
    *limit = (unsigned)number;
    return true;
}

static bool
take_order(struct exchange *exchange, bool *newest_first)
{
    char text[16] = "desc";

    if (query_get(exchange->request->query, "order", text, sizeof(text)) < 0 ||
        (strcmp(text, "asc") != 0 && strcmp(text, "desc") != 0)) {
        exchange_fail_param(exchange, HTTP_UNPROCESSABLE_CONTENT, "order", "order is asc or desc.");
        return false;
    }
    *newest_first = text[0] == 'd';
    return true;
}

static bool
take_after(struct exchange *exchange, char after[RUN_ID_SIZE])
{
    after[0] = '\0';
    if (query_get(exchange->request->query, "after", after, RUN_ID_SIZE) < 0 ||
        (after[0] != '\0' && !run_id_is_good(after))) {
        exchange_fail_param(exchange, HTTP_UNPROCESSABLE_CONTENT, "after",
                            "after is the id of a run.");
        return false;
    }
    return true;
}

static void
put_run(const struct exchange *exchange, const struct redis_reply *row, struct buffer *out)
{
    size_t size;
    const char *id = redis_reply_bytes(redis_reply_item(row, 0), &size);
    struct run_found found;

    if (!id || !run_found_read(&found, id, redis_reply_item(row, 1)))
        return;
    if (out->size > 0 && out->data[out->size - 1] == '}')
        buffer_putc(out, ',');
    if (found.ended)
        run_found_put(exchange, &found, out);
    else
        run_object_put_open(out, &found.facts, run_found_is_running(&found) ? found.claimed_us : 0);
}

static void
put_edge(const struct redis_reply *reply, size_t index, const char *name, struct buffer *out)
{
    size_t size;

    json_put_text(out, name,
                  redis_reply_bytes(redis_reply_item(redis_reply_item(reply, index), 0), &size));
}

static void
on_listed(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct exchange *exchange = context;
    size_t count = redis_reply_count(reply);
    struct buffer *out = &exchange->body;

    if (err) {
        exchange_fail_err(exchange, err);
        return;
    }
    if (count == 0) {
        exchange_fail_param(exchange, HTTP_NOT_FOUND, "after", NO_SUCH_RUN);
        return;
    }
    buffer_puts(out, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 1; i < count; i++)
        put_run(exchange, redis_reply_item(reply, i), out);
    buffer_putc(out, ']');
    put_edge(reply, 1, "first_id", out);
    put_edge(reply, count - 1, "last_id", out);
    json_put_bool(out, "has_more", redis_reply_int(redis_reply_item(reply, 0), 0) == 1);
    buffer_putc(out, '}');
    exchange_answer(exchange, HTTP_OK);
}

static void
abandon_list(struct exchange *exchange)
{
    redis_script_forget(exchange->waiting_for);
}

void
runs_list(struct exchange *exchange)
{
    struct err err = ERR_INIT;
    char after[RUN_ID_SIZE];
    struct run_page page = {.after = after};

    if (!take_limit(exchange, &page.limit) || !take_order(exchange, &page.newest_first) ||
        !take_after(exchange, after))
        return;
    exchange->waiting_for = run_records_list(
        &exchange->app->runs->records, exchange_owner(exchange), &page, on_listed, exchange, &err);
    if (exchange->waiting_for)
        exchange->abandon = abandon_list;
    else
        exchange_fail_err(exchange, &err);
}
