#include "api/file_load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/app.h"
#include "api/file_store.h"

struct file_load {
    struct app *app;
    struct file_load_to to;
    char owner[FILE_OWNER_SIZE];
    uint64_t most;
    struct file_call *call;
};

static int
set_missing(struct err *err)
{
    return err_set(err, ERR_INVALID, 0, "There is no such file of yours, or no longer.");
}

static int
read_it(const struct file_load *load, const struct file_record *record, struct bytes *data,
        struct err *err)
{
    if (!record || strcmp(record->owner, load->owner) != 0)
        return set_missing(err);
    if (record->blob.bytes > load->most)
        return err_set(err, ERR_TOO_LARGE, 0,
                       "The file has %" PRIu64 " bytes; %" PRIu64 " are allowed.",
                       record->blob.bytes, load->most);
    return storage_blob_read(load->app->files->storage, &record->blob, data, err);
}

static void
on_record(void *context, const struct file_record *record, const struct err *err)
{
    struct file_load *load = context;
    struct bytes data = {0};
    struct err own = ERR_INIT;

    if (!err && read_it(load, record, &data, &own) < 0)
        err = &own;
    load->to.on_loaded(load->to.context, err ? NULL : &data, err);
    bytes_fini(&data);
    free(load);
}

struct file_load *
file_load(struct app *app, const char *owner, const char *file_id, uint64_t most,
          const struct file_load_to *to, struct err *err)
{
    if (!app->files || !file_is_id(FILE_KIND_FILE, file_id)) {
        set_missing(err);
        return NULL;
    }
    struct file_load *load = calloc(1, sizeof(*load));
    if (!load) {
        err_set(err, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
        return NULL;
    }
    *load = (struct file_load){.app = app, .to = *to, .most = most};
    snprintf(load->owner, sizeof(load->owner), "%s", owner);
    load->call =
        file_records_get(&app->files->records, FILE_KIND_FILE, file_id, on_record, load, err);
    if (load->call)
        return load;
    free(load);
    return NULL;
}

void
file_load_forget(struct file_load *load)
{
    file_call_forget(load->call);
    free(load);
}
