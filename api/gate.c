#include "api/gate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "api/app.h"
#include "api/loopback.h"

REDIS_SCRIPT_EMBED(gate_rate_text, "api/scripts/rate.lua");

#define REALM "Bearer realm=\"retort\""

void
gate_init(struct gate *gate, const struct key_store *keys, bool loopback)
{
    *gate = (struct gate){
        .keys = keys, .loopback = loopback, .rate = REDIS_SCRIPT_INIT(gate_rate_text)};
}

void
gate_fini(struct gate *gate)
{
    redis_script_fini(&gate->rate);
}

/* ---- whose it is ---- */

static int
refuse(const char **sentence, int status, const char *text)
{
    *sentence = text;
    return status;
}

static int
identify_anonymous(struct exchange *exchange, const char **sentence)
{
    const struct http_request *request = exchange->request;
    const char *host = http_request_header(request, "host");
    const char *origin = http_request_header(request, "origin");
    const char *site = http_request_header(request, "sec-fetch-site");

    if (!exchange->app->gate.loopback)
        return 0;
    if (!host || !loopback_is_host(host))
        return refuse(
            sentence, HTTP_FORBIDDEN,
            "Without keys this service is for this machine alone; the Host header must be "
            "localhost, 127.0.0.1 or [::1].");
    if (http_request_header(request, "x-forwarded-for") ||
        http_request_header(request, "x-forwarded-host") ||
        http_request_header(request, "forwarded"))
        return refuse(sentence, HTTP_FORBIDDEN,
                      "Without keys this service is for this machine alone, and the request came "
                      "through a proxy; set API_KEYS to serve others.");
    if (origin ? !loopback_is_origin(origin) : site && strcasecmp(site, "cross-site") == 0)
        return refuse(sentence, HTTP_FORBIDDEN,
                      "Without keys only pages of this machine are answered, not those of another "
                      "origin.");
    return 0;
}

/* Behind "Bearer" and blanks; NULL when there is no such header, or more than one. */
static const char *
bearer(const struct http_request *request)
{
    const char *value = http_request_header(request, "authorization");

    if (!value || http_request_header_count(request, "authorization") != 1 ||
        strncasecmp(value, "Bearer ", 7) != 0)
        return NULL;
    return value + 7 + strspn(value + 7, " ");
}

int
gate_identify(struct exchange *exchange, const char **sentence)
{
    const struct key_store *keys = exchange->app->gate.keys;

    if (!keys)
        return identify_anonymous(exchange, sentence);
    const char *token = bearer(exchange->request);
    if (!token) {
        buffer_puts(&exchange->headers, "WWW-Authenticate: " REALM "\r\n");
        return refuse(sentence, HTTP_UNAUTHORIZED,
                      "Send a key, with the header Authorization: Bearer and the key.");
    }
    struct api_key *key = key_store_find(keys, token, strlen(token));
    if (!key) {
        buffer_puts(&exchange->headers, "WWW-Authenticate: " REALM ", error=\"invalid_token\"\r\n");
        return refuse(sentence, HTTP_UNAUTHORIZED, "This key is not known.");
    }
    exchange_set_caller(exchange, key);
    return 0;
}

/* ---- how often ---- */

struct admission {
    struct exchange *exchange;
    gate_done_fn *done;
    struct redis_script_call *call;
};

static void
abandon(struct exchange *exchange)
{
    struct admission *admission = exchange->waiting_for;

    redis_script_forget(admission->call);
    free(admission);
}

static uint64_t
item(const struct redis_reply *reply, size_t index)
{
    int64_t value = redis_reply_int(redis_reply_item(reply, index), 0);

    return value > 0 ? (uint64_t)value : 0;
}

/* Whole seconds, up. */
static uint64_t
seconds(uint64_t ms)
{
    return (ms + 999) / 1000;
}

static void
on_rate(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct admission *admission = context;
    struct exchange *exchange = admission->exchange;
    gate_done_fn *done = admission->done;

    free(admission);
    exchange->abandon = NULL;
    exchange->waiting_for = NULL;
    if (err || redis_reply_count(reply) < 4) {
        done(exchange, HTTP_UNAVAILABLE,
             "The rate of this key cannot be looked up; try again in a moment.");
        return;
    }
    buffer_printf(&exchange->headers,
                  "X-RateLimit-Limit: %u\r\nX-RateLimit-Remaining: %" PRIu64
                  "\r\nX-RateLimit-Reset: %" PRIu64 "\r\n",
                  (unsigned)exchange->caller->burst, item(reply, 1), seconds(item(reply, 2)));
    if (item(reply, 0) == 1) {
        done(exchange, 0, NULL);
        return;
    }
    uint64_t wait_s = seconds(item(reply, 3));
    buffer_printf(&exchange->headers, "Retry-After: %" PRIu64 "\r\n", wait_s > 0 ? wait_s : 1);
    done(exchange, HTTP_TOO_MANY_REQUESTS,
         "This key has used up its rate; Retry-After says in how many seconds to try again.");
}

static struct redis_script_call *
take_token(struct gate *gate, const struct app *app, struct admission *admission)
{
    const struct api_key *key = admission->exchange->caller;
    struct redis_command command;
    struct err err = ERR_INIT;

    redis_script_begin(&gate->rate, &command);
    redis_command_add_text(&command, app->config->redis_prefix);
    redis_command_add_text(&command, key->label);
    redis_command_add_int(&command, key->rate_milli);
    redis_command_add_int(&command, key->burst);
    return redis_script_send(&gate->rate, app->records, &command, on_rate, admission, &err);
}

void
gate_admit(struct exchange *exchange, gate_done_fn *done)
{
    struct app *app = exchange->app;
    struct admission *admission = malloc(sizeof(*admission));

    if (admission) {
        *admission = (struct admission){.exchange = exchange, .done = done};
        admission->call = take_token(&app->gate, app, admission);
    }
    if (!admission || !admission->call) {
        free(admission);
        done(exchange, HTTP_UNAVAILABLE,
             "The rate of this key cannot be looked up; try again in a moment.");
        return;
    }
    exchange->waiting_for = admission;
    exchange->abandon = abandon;
}
