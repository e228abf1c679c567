#include "api/exchange.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include <event2/util.h>

#include "api/api_key.h"
#include "api/error_body.h"
#include "api/gzip.h"
#include "api/request_metrics.h"
#include "api/routes.h"
#include "common/clock.h"
#include "common/log.h"

/* Kept between the requests of a connection. */
#define KEPT_BODY_BYTES    4096
#define LOGGED_PATH_BYTES  200
#define RETRY_AFTER_HEADER "Retry-After: 1\r\n"

/* What a client may choose as X-Request-ID: it stands in our logs and headers. */
static bool
is_sane_id(const char *id)
{
    size_t size = strlen(id);
    if (size == 0 || size >= EXCHANGE_REQUEST_ID_SIZE)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (!isalnum((unsigned char)id[i]) && !strchr("-_.:+/=", id[i]))
            return false;
    }
    return true;
}

static void
choose_id(struct exchange *exchange)
{
    const char *given =
        exchange->request ? http_request_header(exchange->request, "x-request-id") : NULL;
    if (given && is_sane_id(given)) {
        snprintf(exchange->request_id, sizeof(exchange->request_id), "%s", given);
        return;
    }
    uint64_t random;
    evutil_secure_rng_get_bytes(&random, sizeof(random));
    snprintf(exchange->request_id, sizeof(exchange->request_id), "%016" PRIx64, random);
}

void
exchange_begin(struct exchange *exchange, const struct http_request *request)
{
    exchange_set_caller(exchange, NULL);
    exchange->request = request;
    exchange->file_bytes = 0;
    exchange->job_id[0] = '\0';
    exchange->job_name[0] = '\0';
    exchange->started_us = clock_monotonic_us();
    exchange->route = ROUTES_LABEL_OTHER;
    exchange->status = 0;
    exchange->content_type = NULL;
    exchange->encoded = false;
    exchange->body_bytes = 0;
    exchange->cache_control = NULL;
    exchange->on_body = NULL;
    exchange->drop_body = NULL;
    exchange->abandon = NULL;
    exchange->waiting_for = NULL;
    exchange_release(exchange);
    choose_id(exchange);
}

static void
drop_body(struct exchange *exchange)
{
    void (*drop)(struct exchange *) = exchange->drop_body;

    exchange->drop_body = NULL;
    exchange->on_body = NULL;
    if (drop)
        drop(exchange);
    exchange->receiver = NULL;
}

void
exchange_set_caller(struct exchange *exchange, struct api_key *key)
{
    /* Const for handlers; who holds it may let it go. */
    api_key_release((struct api_key *)(uintptr_t)exchange->caller);
    exchange->caller = key ? api_key_hold(key) : NULL;
}

const char *
exchange_owner(const struct exchange *exchange)
{
    return exchange->caller ? exchange->caller->label : "anonymous";
}

void
exchange_release(struct exchange *exchange)
{
    if (exchange->has_file)
        close(exchange->file.fd);
    exchange->has_file = false;
    buffer_reset(&exchange->body, KEPT_BODY_BYTES);
    buffer_reset(&exchange->headers, KEPT_BODY_BYTES);
}

/* HEAD too: its Content-Length is that of GET. */
static void
pack(struct exchange *exchange)
{
    if (exchange->encoded || !exchange->request || !gzip_is_worth(exchange->body.size))
        return;
    buffer_puts(&exchange->headers, "Vary: Accept-Encoding\r\n");
    if (gzip_is_accepted(exchange->request) && gzip_pack(&exchange->body))
        buffer_puts(&exchange->headers, "Content-Encoding: gzip\r\n");
}

void
exchange_answer(struct exchange *exchange, int status)
{
    exchange->abandon = NULL;
    exchange->waiting_for = NULL;
    exchange->status = status;
    pack(exchange);
    drop_body(exchange);
    if (exchange->body.failed || exchange->headers.failed) {
        /* No memory for the answer; this one needs none to speak of. */
        buffer_fini(&exchange->body);
        buffer_fini(&exchange->headers);
        exchange->status = HTTP_UNAVAILABLE;
        exchange->content_type = NULL;
        exchange_release(exchange);
    }
    exchange->body_bytes = exchange->has_file ? exchange->file.bytes : exchange->body.size;
    exchange->on_answer(exchange);
}

void
exchange_stream_begin(struct exchange *exchange, int status)
{
    exchange->status = status;
    exchange->body_bytes = exchange->body.size;
    exchange->stream->begin(exchange);
    buffer_reset(&exchange->body, KEPT_BODY_BYTES);
}

bool
exchange_stream_put(struct exchange *exchange)
{
    bool fits = !exchange->body.failed &&
                exchange->stream->unsent(exchange) + exchange->body.size <= EXCHANGE_STREAM_BYTES;
    if (fits && exchange->body.size > 0) {
        exchange->body_bytes += exchange->body.size;
        exchange->stream->put(exchange);
    }
    buffer_reset(&exchange->body, KEPT_BODY_BYTES);
    return fits;
}

void
exchange_stream_end(struct exchange *exchange)
{
    exchange->abandon = NULL;
    exchange->waiting_for = NULL;
    exchange->body_bytes += exchange->body.size;
    exchange->stream->end(exchange);
}

bool
exchange_stream_closing(const struct exchange *exchange)
{
    return exchange->stream->closing(exchange);
}

void
exchange_answer_file(struct exchange *exchange, int status, const struct exchange_file *file)
{
    exchange->file = *file;
    exchange->has_file = true;
    exchange_answer(exchange, status);
}

void
exchange_log(const struct exchange *exchange)
{
    const struct http_request *request = exchange->request;
    char path[LOGGED_PATH_BYTES] = "";
    request_metrics_count(request ? request->method : HTTP_METHOD_OTHER, exchange->route,
                          exchange->status);
    if (request)
        snprintf(path, sizeof(path), "%s", request->path);
    LOG(LOG_INFO, "request", {"request_id", LOG_STR(exchange->request_id)},
        {"method", LOG_STR(request ? request->method_name : NULL)},
        {"path", LOG_STR(request ? path : NULL)}, {"status", LOG_INT(exchange->status)},
        {"bytes", LOG_UINT(exchange->body_bytes)},
        {"duration_us", LOG_UINT(clock_monotonic_us() - exchange->started_us)},
        {"key", LOG_STR(exchange->caller ? exchange->caller->label : NULL)},
        {"job_id", LOG_STR(exchange->job_id[0] ? exchange->job_id : NULL)},
        {"job_name", LOG_STR(exchange->job_name[0] ? exchange->job_name : NULL)});
}

static void
fail(struct exchange *exchange, const struct error_body *error)
{
    buffer_reset(&exchange->body, KEPT_BODY_BYTES);
    exchange->content_type = NULL;
    error_body_put(&exchange->body, error);
    if (error->status == HTTP_UNAVAILABLE)
        buffer_puts(&exchange->headers, RETRY_AFTER_HEADER);
    exchange_answer(exchange, error->status);
}

void
exchange_fail(struct exchange *exchange, int status, const char *sentence)
{
    exchange_fail_param(exchange, status, NULL, sentence);
}

void
exchange_fail_param(struct exchange *exchange, int status, const char *param, const char *sentence)
{
    fail(exchange, &(struct error_body){.status = status,
                                        .code = http_status_error(status),
                                        .sentence = sentence,
                                        .param = param,
                                        .retryable = status == HTTP_UNAVAILABLE ||
                                                     status == HTTP_REQUEST_TIMEOUT ||
                                                     status == HTTP_TOO_MANY_REQUESTS});
}

void
exchange_fail_err(struct exchange *exchange, const struct err *err)
{
    fail(exchange,
         &(struct error_body){.status = err_code_http_status(err->code),
                              .code = err_code_name(err->code),
                              .sentence = err->text[0] ? err->text : err_code_text(err->code),
                              .retryable = err_code_retryable(err->code)});
}

static void
abandon_work(struct exchange *exchange)
{
    void (*abandon)(struct exchange *) = exchange->abandon;
    exchange->abandon = NULL;
    if (abandon)
        abandon(exchange);
    exchange->waiting_for = NULL;
}

void
exchange_give_up(struct exchange *exchange, const char *sentence)
{
    abandon_work(exchange);
    exchange_fail(exchange, HTTP_UNAVAILABLE, sentence);
}

void
exchange_abandon(struct exchange *exchange)
{
    exchange->status = HTTP_CLIENT_CLOSED;
    abandon_work(exchange);
    drop_body(exchange);
    exchange_log(exchange);
}

void
exchange_fini(struct exchange *exchange)
{
    exchange_set_caller(exchange, NULL);
    drop_body(exchange);
    exchange_release(exchange);
    buffer_fini(&exchange->body);
    buffer_fini(&exchange->headers);
}
