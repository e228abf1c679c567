/*
 * GET /v1/runs/ID/events. A follower is a watch on the run that tells what is new as server-sent
 * events, until the run has ended. What a running job writes comes from the stream that its worker
 * keeps (common/queue_events.h), so a client that comes late gets the past, and one that comes
 * again goes on where it was: the ids of events are those of the stream's entries. A job that was
 * over in a moment has no stream: its output is then told from its record, under ids that come
 * before all of a stream's.
 *
 *     0-1  queued        <entry>  started, output      end  finished
 *     0-2  started       0-3, 0-4  output (of a job without a stream)
 *
 * A client that takes too long holds nothing up: while much is unsent nothing more is read, and
 * after SLOW_US it is sent away. What it has not got is in the stream when it comes again.
 */
#include "api/runs_internal.h"

#include <stdlib.h>
#include <string.h>

#include "api/json_writer.h"
#include "common/clock.h"

#define LOOK_MS       50
#define KEEP_ALIVE_US 15000000
#define UNSENT_MOST   262144
#define SLOW_US       10000000
/* For the rest of the stream, which the worker writes after the result. */
#define REST_US       1000000
/* Redis may be away for so long. */
#define AWAY_US       10000000
#define ENTRY_SIZE    48
#define LAST_MADE     4 /* 0-4 is the last id that is no entry's */
#define END_ID        "end"

struct follower {
    struct exchange *exchange;
    struct run_watch *watch;
    char entry[ENTRY_SIZE];              /* the last event that was told, as ms-seq */
    bool begun;                          /* the answer has */
    bool streamed;                       /* entries have been seen, now or by this client before */
    bool rest_told;                      /* the stream's end was seen */
    uint64_t ended_us, slow_us, away_us; /* monotonic: since when; 0: not */
    uint64_t told_us;                    /* monotonic: when something was sent */
};

/* ---- ids ---- */

/* "ms-seq", both of digits. */
static bool
entry_is_good(const char *text)
{
    size_t first = strspn(text, "0123456789");
    size_t second = text[first] == '-' ? strspn(text + first + 1, "0123456789") : 0;

    return first > 0 && first <= 19 && second > 0 && second <= 19 &&
           text[first + 1 + second] == '\0';
}

/* The number of an event that stands for none of the stream: n of "0-n", else above LAST_MADE. */
static unsigned long long
made_number(const char *entry)
{
    return strncmp(entry, "0-", 2) == 0 ? strtoull(entry + 2, NULL, 10) : LAST_MADE + 1;
}

static bool
was_told(const struct follower *follower, unsigned number)
{
    return made_number(follower->entry) >= number;
}

/* ---- sending ---- */

static void
put_event(struct buffer *out, const char *id, const char *name)
{
    buffer_printf(out, "id: %s\nevent: %s\ndata: ", id, name);
}

static bool
put(struct follower *follower)
{
    follower->told_us = clock_monotonic_us();
    return exchange_stream_put(follower->exchange);
}

static void
note_told(struct follower *follower, const char *id)
{
    snprintf(follower->entry, sizeof(follower->entry), "%s", id);
}

static void
follower_free(struct follower *follower)
{
    follower->exchange->app->runs->followers--;
    free(follower);
}

static void
abandon(struct exchange *exchange)
{
    struct follower *follower = exchange->waiting_for;

    run_watch_free(follower->watch);
    follower_free(follower);
}

/* The last word to who is sent away; with its id, the client can go on where it was. */
static void
close_with(struct follower *follower, const char *reason)
{
    struct exchange *exchange = follower->exchange;
    struct buffer *out = &exchange->body;

    buffer_reset(out, 0);
    buffer_puts(out, "event: closed\ndata: {");
    json_put_text(out, "reason", reason);
    buffer_puts(out, "}\n\n");
    follower_free(follower);
    exchange_stream_end(exchange);
}

/* ---- events ---- */

static void
tell_queued(struct follower *follower, const struct run_found *found)
{
    struct buffer *out = &follower->exchange->body;

    if (was_told(follower, 1))
        return;
    put_event(out, "0-1", "queued");
    buffer_putc(out, '{');
    json_put_text(out, "id", found->facts.id);
    json_put_uint(out, "created_at", (uint64_t)found->facts.created_ms / 1000);
    buffer_puts(out, "}\n\n");
    note_told(follower, "0-1");
    (void)put(follower);
}

static void
put_started(struct buffer *out, const char *id, const char *attempt)
{
    put_event(out, id, "started");
    buffer_printf(out, "{\"attempt\":%s}\n\n", attempt);
}

/* text: a JSON string. */
static void
put_output_head(struct buffer *out, const char *id, const char *stream, const char *offset)
{
    put_event(out, id, "output");
    buffer_printf(out, "{\"stream\":\"%s\",\"offset\":%s,\"text\":", stream, offset);
}

/* The value of a field of an entry, which Redis gives as a list of names and values. */
static const char *
field(const struct redis_reply *fields, const char *name, size_t *size)
{
    for (size_t i = 0; i + 1 < redis_reply_count(fields); i += 2) {
        const char *text = redis_reply_bytes(redis_reply_item(fields, i), size);
        if (text && strcmp(text, name) == 0)
            return redis_reply_bytes(redis_reply_item(fields, i + 1), size);
    }
    return NULL;
}

static bool
is_number(const char *text)
{
    return text && text[0] && strspn(text, "0123456789") == strlen(text);
}

static void
tell_entry(struct follower *follower, const struct redis_reply *entry)
{
    const struct redis_reply *fields = redis_reply_item(entry, 1);
    struct buffer *out = &follower->exchange->body;
    size_t size;
    const char *id = redis_reply_bytes(redis_reply_item(entry, 0), &size);
    const char *kind = field(fields, "k", &size), *number, *data;

    if (!id || !entry_is_good(id) || !kind)
        return;
    follower->streamed = true;
    note_told(follower, id);
    if (strcmp(kind, "end") == 0) {
        follower->rest_told = true;
    } else if (strcmp(kind, "start") == 0) {
        number = field(fields, "n", &size);
        put_started(out, id, is_number(number) ? number : "1");
    } else if ((number = field(fields, "at", &size)) && is_number(number) &&
               (data = field(fields, "d", &size))) {
        put_output_head(out, id, strcmp(kind, "err") == 0 ? "stderr" : "stdout", number);
        json_put_string(out, data, size);
        buffer_puts(out, "}\n\n");
    }
}

/* A member of a run object that is a string, as it stands there. */
static const char *
string_member(const char *object, const char *name, size_t *size)
{
    const char *at = strstr(object, name), *end;

    if (!at)
        return NULL;
    at += strlen(name);
    for (end = at + 1; *end && *end != '"'; end++)
        end += *end == '\\' && end[1];
    *size = (size_t)(end + 1 - at);
    return at;
}

/* Of a job that was over before it had a stream. */
static void
tell_record(struct follower *follower, const struct run_found *found)
{
    static const struct {
        const char *member, *stream, *id;
    } streams[] = {{"\"stdout\":", "stdout", "0-3"}, {"\"stderr\":", "stderr", "0-4"}};
    struct buffer *out = &follower->exchange->body;
    size_t size = 0;

    if (!was_told(follower, 2) && !strstr(found->after, "\"started_at\":null"))
        put_started(out, "0-2", "1");
    for (unsigned i = 0; i < 2; i++) {
        const char *text = string_member(found->before, streams[i].member, &size);
        if (was_told(follower, i + 3) || !text || size <= 2)
            continue;
        put_output_head(out, streams[i].id, streams[i].stream, "0");
        buffer_append(out, text, size);
        buffer_puts(out, "}\n\n");
    }
}

static void
finish(struct follower *follower, const struct run_found *found)
{
    struct exchange *exchange = follower->exchange;

    if (!follower->streamed)
        tell_record(follower, found);
    put_event(&exchange->body, END_ID, "finished");
    run_found_put(exchange, found, &exchange->body);
    buffer_puts(&exchange->body, "\n\n");
    follower_free(follower);
    exchange_stream_end(exchange);
}

/* ---- looking ---- */

static void
begin(struct follower *follower)
{
    struct exchange *exchange = follower->exchange;

    follower->begun = true;
    follower->told_us = clock_monotonic_us();
    exchange->content_type = "text/event-stream";
    buffer_puts(&exchange->headers, "X-Accel-Buffering: no\r\n");
    buffer_puts(&exchange->body, "retry: 1000\n\n");
    exchange_stream_begin(exchange, HTTP_OK);
}

/* Nothing is known. True: look again. */
static bool
on_nothing(struct follower *follower, const struct err *err)
{
    struct exchange *exchange = follower->exchange;
    uint64_t now_us = clock_monotonic_us();

    if (!follower->begun) {
        follower_free(follower);
        if (err)
            exchange_fail_err(exchange, err);
        else
            exchange_fail(exchange, HTTP_NOT_FOUND, "There is no such run.");
        return false;
    }
    if (follower->away_us == 0)
        follower->away_us = now_us;
    if (err && now_us - follower->away_us < AWAY_US)
        return true;
    close_with(follower, err ? "unavailable" : "forgotten");
    return false;
}

/* Whether the run has ended and all of its stream is told. */
static bool
is_over(struct follower *follower, const struct run_found *found, size_t entries)
{
    uint64_t now_us = clock_monotonic_us();

    if (!found->ended || entries == RUN_LOOK_EVENTS)
        return false;
    if (follower->ended_us == 0)
        follower->ended_us = now_us;
    return !follower->streamed || follower->rest_told || now_us - follower->ended_us >= REST_US;
}

/* Whether so much waits for the client that it should be sent away. */
static bool
is_too_slow(struct follower *follower)
{
    const struct exchange *exchange = follower->exchange;
    uint64_t now_us = clock_monotonic_us();

    if (exchange->stream->unsent(exchange) <= UNSENT_MOST)
        follower->slow_us = 0;
    else if (follower->slow_us == 0)
        follower->slow_us = now_us;
    return follower->slow_us > 0 && now_us - follower->slow_us >= SLOW_US;
}

static bool
tell_news(struct follower *follower, const struct redis_reply *events)
{
    size_t count = redis_reply_count(events);

    for (size_t i = 0; i < count; i++) {
        tell_entry(follower, redis_reply_item(events, i));
        if (!put(follower))
            return false;
    }
    if (clock_monotonic_us() - follower->told_us >= KEEP_ALIVE_US) {
        buffer_puts(&follower->exchange->body, ": keep-alive\n\n");
        return put(follower);
    }
    if (count == RUN_LOOK_EVENTS)
        run_watch_hurry(follower->watch);
    return true;
}

static bool
on_look(void *context, const struct run_found *found, const struct redis_reply *events,
        const struct err *err)
{
    struct follower *follower = context;

    if (!found)
        return on_nothing(follower, err);
    follower->away_us = 0;
    if (!follower->begun)
        begin(follower);
    tell_queued(follower, found);
    if (is_too_slow(follower)) {
        close_with(follower, "slow");
        return false;
    }
    if (follower->slow_us > 0) /* what there is now is read again later */
        return true;
    if (!tell_news(follower, events)) {
        close_with(follower, "slow");
    } else if (is_over(follower, found, redis_reply_count(events))) {
        finish(follower, found);
    } else if (exchange_stream_closing(follower->exchange)) {
        close_with(follower, "ending");
    } else {
        return true;
    }
    return false;
}

/* ---- the request ---- */

static bool
is_welcome(struct exchange *exchange, const char *last)
{
    const struct runs *runs = exchange->app->runs;

    if (!run_id_is_good(exchange->path_id)) {
        exchange_fail(exchange, HTTP_NOT_FOUND, "There is no such run.");
    } else if (strcmp(last, END_ID) == 0) {
        exchange_answer(exchange, HTTP_NO_CONTENT); /* nothing will come; do not ask again */
    } else if (runs->followers >= runs->app->config->max_event_streams) {
        exchange_fail(exchange, HTTP_UNAVAILABLE,
                      "Too many clients follow runs here (MAX_EVENT_STREAMS).");
    } else if (exchange->request->method == HTTP_METHOD_HEAD) {
        exchange->content_type = "text/event-stream";
        exchange_answer(exchange, HTTP_OK);
    } else {
        return true;
    }
    return false;
}

void
runs_follow(struct exchange *exchange)
{
    const char *given = http_request_header(exchange->request, "last-event-id");
    const char *last = given ? given : "";
    struct err err = {.code = ERR_UNAVAILABLE};

    if (!is_welcome(exchange, last))
        return;
    struct follower *follower = calloc(1, sizeof(*follower));
    if (follower) {
        follower->exchange = exchange;
        note_told(follower, entry_is_good(last) ? last : "0-0");
        follower->streamed = made_number(follower->entry) > LAST_MADE;
        const struct run_watch_options options = {.id = exchange->path_id,
                                                  .owner = exchange_owner(exchange),
                                                  .interval_ms = LOOK_MS,
                                                  .entry = follower->entry,
                                                  .on_look = on_look,
                                                  .context = follower};
        follower->watch = run_watch_new(exchange->app->runs, &options, &err);
    }
    if (!follower || !follower->watch) {
        free(follower);
        exchange_fail_err(exchange, &err);
        return;
    }
    exchange->app->runs->followers++;
    exchange->waiting_for = follower;
    exchange->abandon = abandon;
}
