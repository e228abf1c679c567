/* Links to artifacts: making them, and serving who has one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "api/app.h"
#include "api/artifact_store.h"
#include "api/file_store.h"
#include "api/files.h"
#include "api/query.h"

#define PATH     "/v1/artifacts/"
/* Whatever is wrong with a link. */
#define NOT_GOOD "This link is not valid, or not any more."

/* ---- making ------------------------------------------------------------------------------- */

/* A name that leads to the machine itself, and nothing else: what stands in a link goes there. */
static bool
is_loopback(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t size = strlen(names[i]);
        if (strncasecmp(host, names[i], size) != 0)
            continue;
        const char *port = host + size;
        size_t digits = port[0] == ':' ? strspn(port + 1, "0123456789") : 0;
        if (port[0] == '\0' || (digits > 0 && digits <= 5 && port[1 + digits] == '\0'))
            return true;
    }
    return false;
}

static void
put_base(struct buffer *out, const struct exchange *exchange)
{
    const struct file_store *store = exchange->app->files;
    const char *set = store->config->public_base_url;
    const char *host = exchange->request ? http_request_header(exchange->request, "host") : NULL;
    size_t size = strlen(set);

    while (size > 0 && set[size - 1] == '/')
        size--;
    if (size > 0)
        buffer_append(out, set, size);
    else if (host && is_loopback(host))
        buffer_printf(out, "http://%s", host);
    else
        buffer_puts(out, store->listening);
}

void
artifact_put_url(struct buffer *out, const struct exchange *exchange, const char *id,
                 uint64_t expires_ms)
{
    char signature[DIGEST_HEX_SIZE];
    uint64_t expires = expires_ms / 1000;

    sign(&exchange->app->files->keys, id, expires, signature);
    put_base(out, exchange);
    buffer_printf(out, PATH "%s?expires=%" PRIu64 "&signature=%s", id, expires, signature);
}

/* ---- serving ------------------------------------------------------------------------------ */

static void
on_record(void *context, const struct file_record *record, const struct err *err)
{
    struct exchange *exchange = context;

    if (err) {
        exchange_fail_err(exchange, err);
        return;
    }
    if (!record) {
        exchange_fail(exchange, HTTP_FORBIDDEN, NOT_GOOD);
        return;
    }
    file_answer_content(exchange, record);
}

static void
abandon(struct exchange *exchange)
{
    file_call_forget(exchange->waiting_for);
}

/* The signature is looked at before anything is looked up, so nothing can be learned from how
 * long an answer takes. */
void
artifact_handle(struct exchange *exchange)
{
    struct file_store *store = exchange->app->files;
    const char *query = exchange->request->query, *id = exchange->path_id;
    char expires[24], signature[DIGEST_HEX_SIZE];
    struct err err = ERR_INIT;
    bool good = store && query_get(query, "expires", expires, sizeof(expires)) == 1 &&
                query_get(query, "signature", signature, sizeof(signature)) == 1 &&
                sign_check(&store->keys, id, expires, signature, (uint64_t)time(NULL));

    if (!good) {
        exchange_fail(exchange, HTTP_FORBIDDEN, NOT_GOOD);
        return;
    }
    struct file_call *call =
        file_records_get(&store->records, FILE_KIND_ARTIFACT, id, on_record, exchange, &err);
    if (!call) {
        exchange_fail_err(exchange, &err);
        return;
    }
    exchange->waiting_for = call;
    exchange->abandon = abandon;
}
