#include "api/files.h"

#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/download.h"
#include "api/file_store.h"
#include "api/json_writer.h"
#include "api/query.h"
#include "common/config.h"

#define NO_STORE     "This service keeps no files: it has no STORAGE_DIR."
#define NO_FILE      "There is no such file."
#define PAGE_DEFAULT 20

struct file_store *
files_store(struct exchange *exchange)
{
    if (!exchange->app->files)
        exchange_fail(exchange, HTTP_UNAVAILABLE, NO_STORE);
    return exchange->app->files;
}

static void
abandon(struct exchange *exchange)
{
    file_call_forget(exchange->waiting_for);
}

/* The call is under way, or err says why it is not. */
static void
wait_for(struct exchange *exchange, struct file_call *call, const struct err *err)
{
    if (!call) {
        exchange_fail_err(exchange, err);
        return;
    }
    exchange->waiting_for = call;
    exchange->abandon = abandon;
}

void
file_put_object(struct buffer *out, const struct file_record *record)
{
    if (out->size > 0 && out->data[out->size - 1] == '}')
        buffer_putc(out, ',');
    buffer_putc(out, '{');
    json_put_text(out, "id", record->id);
    json_put_text(out, "object", "file");
    json_put_uint(out, "bytes", record->blob.bytes);
    json_put_uint(out, "created_at", record->created_ms / 1000);
    json_put_uint(out, "expires_at", record->expires_ms / 1000);
    json_put_text(out, "filename", record->name);
    json_put_text(out, "purpose", record->label);
    json_put_text(out, "status", "processed");
    json_put_text(out, "sha256", record->blob.sha256);
    json_put_text(out, "content_type", media_type_safe(record->type));
    buffer_putc(out, '}');
}

/* ---- one ---------------------------------------------------------------------------------- */

/* Whether there is a record, and it is the caller's; otherwise exchange is answered. */
static bool
is_own(struct exchange *exchange, const struct file_record *record, const struct err *err)
{
    if (err)
        exchange_fail_err(exchange, err);
    else if (!record || strcmp(record->owner, exchange_owner(exchange)) != 0)
        exchange_fail(exchange, HTTP_NOT_FOUND, NO_FILE);
    else
        return true;
    return false;
}

static void
on_object(void *context, const struct file_record *record, const struct err *err)
{
    struct exchange *exchange = context;

    if (!is_own(exchange, record, err))
        return;
    file_put_object(&exchange->body, record);
    exchange_answer(exchange, HTTP_OK);
}

void
file_answer_content(struct exchange *exchange, const struct file_record *record)
{
    const struct download download = {.blob = &record->blob,
                                      .name = record->name,
                                      .type = record->type,
                                      .created_ms = record->created_ms};
    download_answer(exchange, exchange->app->files->storage, &download);
}

static void
on_content(void *context, const struct file_record *record, const struct err *err)
{
    struct exchange *exchange = context;

    if (is_own(exchange, record, err))
        file_answer_content(exchange, record);
}

static void
on_deleted(void *context, const struct file_record *record, const struct err *err)
{
    struct exchange *exchange = context;

    if (!is_own(exchange, record, err))
        return;
    buffer_putc(&exchange->body, '{');
    json_put_text(&exchange->body, "id", record->id);
    json_put_text(&exchange->body, "object", "file");
    json_put_bool(&exchange->body, "deleted", true);
    buffer_putc(&exchange->body, '}');
    exchange_answer(exchange, HTTP_OK);
}

static struct file_store *
store_for_id(struct exchange *exchange)
{
    struct file_store *store = files_store(exchange);

    if (store && !file_is_id(FILE_KIND_FILE, exchange->path_id)) {
        exchange_fail(exchange, HTTP_NOT_FOUND, NO_FILE);
        return NULL;
    }
    return store;
}

static void
look_up(struct exchange *exchange, file_record_fn *on_record)
{
    struct file_store *store = store_for_id(exchange);
    struct err err = ERR_INIT;

    if (store)
        wait_for(exchange,
                 file_records_get(&store->records, FILE_KIND_FILE, exchange->path_id, on_record,
                                  exchange, &err),
                 &err);
}

void
files_get(struct exchange *exchange)
{
    look_up(exchange, on_object);
}

void
files_content(struct exchange *exchange)
{
    look_up(exchange, on_content);
}

void
files_delete(struct exchange *exchange)
{
    struct file_store *store = store_for_id(exchange);
    struct err err = ERR_INIT;

    if (store)
        wait_for(exchange,
                 file_records_delete(&store->records, exchange_owner(exchange), exchange->path_id,
                                     on_deleted, exchange, &err),
                 &err);
}

/* ---- a page ------------------------------------------------------------------------------- */

static void
on_page(void *context, const struct file_record *records, size_t count, bool has_more,
        const struct err *err)
{
    struct exchange *exchange = context;
    struct buffer *body = &exchange->body;

    if (err || !records) {
        if (err)
            exchange_fail_err(exchange, err);
        else
            exchange_fail_param(exchange, HTTP_NOT_FOUND, "after",
                                "after is no file of yours, or no longer.");
        return;
    }
    buffer_puts(body, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < count; i++)
        file_put_object(body, &records[i]);
    buffer_putc(body, ']');
    json_put_text(body, "first_id", count > 0 ? records[0].id : NULL);
    json_put_text(body, "last_id", count > 0 ? records[count - 1].id : NULL);
    json_put_bool(body, "has_more", has_more);
    buffer_putc(body, '}');
    exchange_answer(exchange, HTTP_OK);
}

/* NULL, or what is wrong with the query. */
static const char *
read_query(const char *query, struct file_page *page, char after[FILE_ID_SIZE])
{
    char limit[8], order[8] = "desc";
    uint64_t most = PAGE_DEFAULT;
    after[0] = '\0';
    int has_limit = query_get(query, "limit", limit, sizeof(limit));
    int has_order = query_get(query, "order", order, sizeof(order));
    int has_after = query_get(query, "after", after, FILE_ID_SIZE);

    if (has_limit < 0 ||
        (has_limit && (!config_parse_uint(limit, &most) || most < 1 || most > FILE_PAGE_MOST)))
        return "\"limit\" must be a whole number from 1 to 100.";
    if (has_order < 0 || (strcmp(order, "asc") != 0 && strcmp(order, "desc") != 0))
        return "\"order\" must be asc or desc.";
    if (has_after < 0 || (has_after && !file_is_id(FILE_KIND_FILE, after)))
        return "\"after\" must be the id of a file.";
    page->most = (unsigned)most;
    page->oldest_first = strcmp(order, "asc") == 0;
    page->after = after;
    return NULL;
}

void
files_list(struct exchange *exchange)
{
    struct file_store *store = files_store(exchange);
    struct file_page page = {.owner = exchange_owner(exchange)};
    char after[FILE_ID_SIZE];
    struct err err = ERR_INIT;

    if (!store)
        return;
    const char *fault = read_query(exchange->request->query, &page, after);
    if (fault)
        exchange_fail(exchange, HTTP_UNPROCESSABLE_CONTENT, fault);
    else
        wait_for(exchange, file_records_list(&store->records, &page, on_page, exchange, &err),
                 &err);
}
