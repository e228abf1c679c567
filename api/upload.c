#include "api/upload.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/file_store.h"
#include "api/files.h"
#include "api/multipart.h"

#define PURPOSE_DEFAULT "user_data"

enum upload_field { FIELD_OTHER, FIELD_FILE, FIELD_PURPOSE };

struct upload {
    struct exchange *exchange;
    struct multipart multipart;
    enum upload_field field;   /* of the part that comes */
    struct storage_put *put;   /* while the file is not in place */
    bool has_file;             /* its part has begun */
    size_t purpose_size;       /* in record.label */
    struct file_record record; /* what is known so far */
};

/* ---- parts -------------------------------------------------------------------------------- */

static int
begin_file(struct upload *upload, const struct multipart_part *part, struct err *err)
{
    struct app *app = upload->exchange->app;

    if (upload->has_file)
        return err_set(err, ERR_INVALID, 0, "The form has more than one file.");
    if (!part->has_filename)
        return err_set(err, ERR_INVALID, 0, "The part \"file\" of the form has no filename.");
    upload->has_file = true;
    snprintf(upload->record.name, sizeof(upload->record.name), "%s", part->filename);
    snprintf(upload->record.type, sizeof(upload->record.type), "%s", part->content_type);
    upload->put = storage_put_begin(app->files->storage, app->config->max_file_bytes, err);
    return upload->put ? 0 : -1;
}

static int
on_part(void *context, const struct multipart_part *part, struct err *err)
{
    struct upload *upload = context;

    upload->field = FIELD_OTHER;
    if (strcmp(part->name, "file") == 0) {
        upload->field = FIELD_FILE;
        return begin_file(upload, part, err);
    }
    if (strcmp(part->name, "purpose") == 0) {
        upload->field = FIELD_PURPOSE;
        if (upload->purpose_size > 0)
            return err_set(err, ERR_INVALID, 0, "The form has more than one \"purpose\".");
    }
    return 0;
}

static int
add_purpose(struct upload *upload, const char *data, size_t size, struct err *err)
{
    for (size_t i = 0; i < size; i++) {
        bool fits = upload->purpose_size < FILE_LABEL_SIZE - 1;
        if (!fits || (!isalnum((unsigned char)data[i]) && data[i] != '_' && data[i] != '-'))
            return err_set(err, ERR_INVALID, 0,
                           "\"purpose\" must be up to 64 letters, digits, - and _.");
        upload->record.label[upload->purpose_size++] = data[i];
    }
    return 0;
}

static int
on_data(void *context, const char *data, size_t size, struct err *err)
{
    struct upload *upload = context;

    switch (upload->field) {
    case FIELD_FILE:
        return storage_put_add(upload->put, data, size, err);
    case FIELD_PURPOSE:
        return add_purpose(upload, data, size, err);
    case FIELD_OTHER:
        break;
    }
    return 0;
}

static int
on_part_end(void *context, struct err *err)
{
    (void)context;
    (void)err;
    return 0;
}

/* ---- the body ----------------------------------------------------------------------------- */

static int
take_body(struct exchange *exchange, const char *data, size_t size, struct err *err)
{
    struct upload *upload = exchange->receiver;
    return multipart_feed(&upload->multipart, data, size, err);
}

static void
drop_body(struct exchange *exchange)
{
    struct upload *upload = exchange->receiver;

    storage_put_drop(upload->put);
    free(upload);
}

int
upload_begin(struct exchange *exchange, struct err *err)
{
    static const struct multipart_events events = {on_part, on_data, on_part_end};

    if (!exchange->app->files)
        return err_set(err, ERR_UNAVAILABLE, 0,
                       "This service keeps no files: it has no STORAGE_DIR.");
    struct upload *upload = calloc(1, sizeof(*upload));
    if (!upload)
        return err_set(err, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
    if (multipart_init(&upload->multipart, http_request_header(exchange->request, "content-type"),
                       &events, upload, err) < 0) {
        free(upload);
        return -1;
    }
    upload->exchange = exchange;
    exchange->receiver = upload;
    exchange->on_body = take_body;
    exchange->drop_body = drop_body;
    return 0;
}

/* ---- the file is there -------------------------------------------------------------------- */

static void
abandon(struct exchange *exchange)
{
    file_call_forget(exchange->waiting_for);
}

static void
on_record(void *context, const struct file_record *record, const struct err *err)
{
    struct exchange *exchange = context;

    if (err) {
        exchange_fail_err(exchange, err);
        return;
    }
    file_put_object(&exchange->body, record);
    exchange_answer(exchange, HTTP_OK);
}

static int
put_in_place(struct upload *upload, struct err *err)
{
    struct storage_put *put = upload->put;

    if (multipart_end(&upload->multipart, err) < 0)
        return -1;
    if (!put)
        return err_set(err, ERR_INVALID, 0, "The form has no part \"file\".");
    upload->put = NULL;
    return storage_put_end(put, true, &upload->record.blob, err);
}

static struct file_call *
record(struct exchange *exchange, struct upload *upload, struct err *err)
{
    struct app *app = exchange->app;
    const struct file_put put = {
        .kind = FILE_KIND_FILE, .record = &upload->record, .ttl_sec = app->config->file_ttl_sec};

    if (upload->purpose_size == 0)
        snprintf(upload->record.label, sizeof(upload->record.label), "%s", PURPOSE_DEFAULT);
    snprintf(upload->record.owner, sizeof(upload->record.owner), "%s", exchange_owner(exchange));
    if (file_new_id(FILE_KIND_FILE, upload->record.id, err) < 0)
        return NULL;
    return file_records_put(&app->files->records, &put, on_record, exchange, err);
}

void
upload_handle(struct exchange *exchange)
{
    struct upload *upload = exchange->receiver;
    struct err err = ERR_INIT;
    struct file_call *call = put_in_place(upload, &err) < 0 ? NULL : record(exchange, upload, &err);

    if (!call) {
        exchange_fail_err(exchange, &err);
        return;
    }
    exchange->waiting_for = call;
    exchange->abandon = abandon;
}
