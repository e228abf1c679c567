#include "api/cors.h"

#include <string.h>

#include "api/app.h"
#include "api/exchange.h"
#include "api/loopback.h"

#define SEPARATORS    ", "
#define SHOWN_BYTES   80
#define PREFLIGHT_AGE "600"

/* What clients send beyond what every page may, and see of an answer. */
#define REQUEST_HEADERS                                                                            \
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, If-Range, Last-Event-ID, "       \
    "Range, "                                                                                      \
    "X-Request-ID"
#define ANSWER_HEADERS                                                                             \
    "Content-Disposition, Content-Range, ETag, Retry-After, X-RateLimit-Limit, "                   \
    "X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-ID"

/* Scheme, host and perhaps a port, as a browser writes them: nothing behind, no capitals. */
static bool
is_origin(const char *text, size_t size)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-+";
    size_t scheme = strspn(text, letters);
    if (scheme == 0 || scheme + 3 >= size || strncmp(text + scheme, "://", 3) != 0)
        return false;
    size_t rest = size - scheme - 3;
    return strspn(text + scheme + 3, "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]") >= rest;
}

int
cors_check(const char *origins, struct err *err)
{
    if (strcmp(origins, "*") == 0)
        return 0;
    for (const char *at = origins + strspn(origins, SEPARATORS); *at;) {
        size_t size = strcspn(at, SEPARATORS);
        if (!is_origin(at, size))
            return err_set(err, ERR_CONFIG, 0,
                           "CORS_ORIGINS: %.*s is no origin; allowed: *, or origins such as "
                           "https://example.org or http://localhost:3000, separated by commas.",
                           (int)(size < SHOWN_BYTES ? size : SHOWN_BYTES), at);
        at += size;
        at += strspn(at, SEPARATORS);
    }
    return 0;
}

static bool
is_listed(const char *origins, const char *origin)
{
    size_t wanted = strlen(origin);
    for (const char *at = origins + strspn(origins, SEPARATORS); *at;) {
        size_t size = strcspn(at, SEPARATORS);
        if (size == wanted && memcmp(at, origin, size) == 0)
            return true;
        at += size;
        at += strspn(at, SEPARATORS);
    }
    return false;
}

static void
put_permission(struct exchange *exchange, const char *origin, const char *allow)
{
    struct buffer *headers = &exchange->headers;
    buffer_printf(headers, "Access-Control-Allow-Origin: %s\r\n", origin);
    if (allow[0] && http_request_header(exchange->request, "access-control-request-method"))
        buffer_printf(headers,
                      "Access-Control-Allow-Methods: %s\r\n"
                      "Access-Control-Allow-Headers: " REQUEST_HEADERS "\r\n"
                      "Access-Control-Max-Age: " PREFLIGHT_AGE "\r\n",
                      allow);
    else
        buffer_puts(headers, "Access-Control-Expose-Headers: " ANSWER_HEADERS "\r\n");
}

void
cors_put(struct exchange *exchange, const char *allow)
{
    const struct app *app = exchange->app;
    const char *origins = app->config->cors_origins;
    const char *origin = http_request_header(exchange->request, "origin");
    bool local = !app->gate.keys && app->gate.loopback;
    bool any = !local && strcmp(origins, "*") == 0;
    if (!local && !origins[0])
        return;
    if (!any)
        buffer_puts(&exchange->headers, "Vary: Origin\r\n");
    if (!origin || http_request_header_count(exchange->request, "origin") != 1)
        return;
    if (any)
        put_permission(exchange, "*", allow);
    else if (local ? loopback_is_origin(origin) : is_listed(origins, origin))
        put_permission(exchange, origin, allow);
}
