#include "api/artifact_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/download.h"
#include "api/file_store.h"
#include "common/log.h"

struct item {
    struct artifact_store_call *call;
    struct file_call *sent; /* NULL: not sent, or answered */
};

struct artifact_store_call {
    struct artifact_store_to to;
    size_t count, outstanding;
    struct stored_artifact *list;
    struct item *items;
};

bool
artifact_store_is_there(const struct app *app)
{
    return app->files != NULL;
}

static void
call_free(struct artifact_store_call *call)
{
    free(call->list);
    free(call->items);
    free(call);
}

static void
on_record(void *context, const struct file_record *record, const struct err *err)
{
    struct item *item = context;
    struct artifact_store_call *call = item->call;
    struct stored_artifact *stored = &call->list[item - call->items];

    item->sent = NULL;
    if (record)
        stored->expires_ms = record->expires_ms;
    else
        stored->fault = err ? err->code : ERR_PROTOCOL;
    if (--call->outstanding > 0)
        return;
    call->to.on_stored(call->to.context, call->list, call->count);
    call_free(call);
}

static int
write_content(struct file_store *store, const struct artifact *artifact, struct storage_blob *blob,
              struct err *err)
{
    struct storage_put *put = storage_put_begin(store->storage, artifact->data.size, err);

    if (!put)
        return -1;
    if (storage_put_add(put, artifact->data.data, artifact->data.size, err) < 0) {
        storage_put_drop(put);
        return -1;
    }
    return storage_put_end(put, false, blob, err);
}

/* -1: this artifact is not stored. */
static int
store_one(struct app *app, struct item *item, struct file_record *record,
          const struct artifact *artifact, struct err *err)
{
    struct artifact_store_call *call = item->call;
    struct stored_artifact *stored = &call->list[item - call->items];
    const struct file_put put = {
        .kind = FILE_KIND_ARTIFACT, .record = record, .ttl_sec = app->config->artifact_ttl_sec};

    if (file_new_id(FILE_KIND_ARTIFACT, record->id, err) < 0 ||
        write_content(app->files, artifact, &record->blob, err) < 0)
        return -1;
    snprintf(record->name, sizeof(record->name), "%s", artifact->name.data);
    stored->content_type = media_type_of_name(record->name);
    snprintf(record->type, sizeof(record->type), "%s", stored->content_type);
    memcpy(stored->id, record->id, sizeof(stored->id));
    memcpy(stored->sha256, record->blob.sha256, sizeof(stored->sha256));
    item->sent = file_records_put(&app->files->records, &put, on_record, item, err);
    return item->sent ? 0 : -1;
}

static struct artifact_store_call *
call_new(size_t count, const struct artifact_store_to *to)
{
    struct artifact_store_call *call = calloc(1, sizeof(*call));

    if (!call)
        return NULL;
    call->to = *to;
    call->count = count;
    call->list = calloc(count, sizeof(*call->list));
    call->items = calloc(count, sizeof(*call->items));
    if (call->list && call->items)
        return call;
    call_free(call);
    return NULL;
}

struct artifact_store_call *
artifact_store(struct app *app, const char *owner, const char *run_id,
               const struct artifacts *artifacts, const struct artifact_store_to *to,
               struct err *err)
{
    struct file_record record = {.id = ""};
    struct err first = ERR_INIT;
    struct artifact_store_call *call =
        app->files && artifacts->count > 0 ? call_new(artifacts->count, to) : NULL;

    if (!call) {
        err_set(err, ERR_UNAVAILABLE, 0, "There is nothing to store, or no place for it.");
        return NULL;
    }
    snprintf(record.owner, sizeof(record.owner), "%s", owner);
    snprintf(record.label, sizeof(record.label), "%s", run_id);
    for (size_t i = 0; i < call->count; i++) {
        struct err why = ERR_INIT;
        call->items[i].call = call;
        if (store_one(app, &call->items[i], &record, &artifacts->list[i], &why) == 0) {
            call->outstanding++;
            continue;
        }
        call->list[i].fault = why.code;
        if (first.code == ERR_NONE)
            first = why;
    }
    if (first.code != ERR_NONE)
        log_err(LOG_WARNING, "artifact_not_stored", &first);
    if (call->outstanding > 0)
        return call;
    *err = first;
    call_free(call);
    return NULL;
}

void
artifact_store_forget(struct artifact_store_call *call)
{
    for (size_t i = 0; i < call->count; i++)
        if (call->items[i].sent)
            file_call_forget(call->items[i].sent);
    call_free(call);
}
