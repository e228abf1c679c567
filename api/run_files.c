#include "api/run_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/file_load.h"
#include "api/request_files.h"

static int
take_file(const struct request_files *taking, const struct json_value *file,
          struct run_files *files, struct err *err)
{
    size_t id_size, path_size;

    if (!request_files_is_object(taking, file))
        return 0;
    const char *id = request_files_text(taking, file, "file_id", &id_size);
    const char *path = request_files_text(taking, file, "path", &path_size);
    if (id && (id_size >= FILE_ID_SIZE || strlen(id) != id_size)) {
        request_files_complain(taking, "value_error", "file_id",
                               "Value error, it is the id of no file");
        id = NULL;
    }
    if (!id || !path || !request_files_name_is_good(taking, "path", path, path_size))
        return 0;
    struct run_file *taken = &files->list[files->count++];
    taken->index = taking->files->count;
    snprintf(taken->id, sizeof(taken->id), "%s", id);
    if (job_files_add(taking->files, path, path_size, NULL, 0) == 0)
        return 0;
    return err_set(err, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
}

int
run_files_take(const struct json_value *value, const struct config *config,
               struct job_files *job_files, struct run_files *files, struct validation *validation,
               struct err *err)
{
    struct request_files taking = {.files = job_files, .validation = validation};

    *files = (struct run_files){.list = NULL};
    if (!request_files_is_list(&taking, value))
        return 0;
    if (json_length(value) > config->max_files) {
        request_files_complain(&taking, "too_long", NULL,
                               "List should have at most as many items as MAX_FILES allows");
        return 0;
    }
    files->list = calloc(json_length(value) + 1, sizeof(*files->list));
    if (!files->list)
        return err_set(err, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
    for (taking.number = 1; taking.number <= json_length(value); taking.number++)
        if (take_file(&taking, json_item(value, taking.number - 1), files, err) < 0)
            return -1;
    return 0;
}

void
run_files_fini(struct run_files *files)
{
    free(files->list);
    *files = (struct run_files){.list = NULL};
}

/* ---- their contents ---- */

struct run_files_load {
    struct app *app;
    char owner[FILE_OWNER_SIZE];
    const struct run_files *files;
    struct job_files *job_files;
    size_t at; /* the file that is being fetched */
    struct file_load *load;
    run_files_fn *on_loaded;
    void *context;
};

static int fetch(struct run_files_load *load, struct err *err);

static void
end_load(struct run_files_load *load, const struct err *err)
{
    char param[48];

    snprintf(param, sizeof(param), "files[%zu].file_id", load->at);
    load->on_loaded(load->context, err,
                    err && err->code != ERR_UNAVAILABLE && err->code != ERR_SYSTEM ? param : NULL);
    free(load);
}

static void
on_loaded(void *context, struct bytes *data, const struct err *err)
{
    struct run_files_load *load = context;
    struct err failed = ERR_INIT;

    load->load = NULL;
    if (err) {
        end_load(load, err);
        return;
    }
    load->job_files->list[load->files->list[load->at].index].data = *data;
    *data = (struct bytes){0};
    if (++load->at == load->files->count)
        end_load(load, NULL);
    else if (fetch(load, &failed) < 0)
        end_load(load, &failed);
}

static int
fetch(struct run_files_load *load, struct err *err)
{
    const struct file_load_to to = {.on_loaded = on_loaded, .context = load};
    uint64_t most = load->app->config->max_files_bytes - job_files_bytes(load->job_files);

    load->load = file_load(load->app, load->owner, load->files->list[load->at].id, most, &to, err);
    return load->load ? 0 : -1;
}

struct run_files_load *
run_files_load(struct app *app, const char *owner, const struct run_files *files,
               struct job_files *job_files, run_files_fn *on_loaded_, void *context,
               struct err *err)
{
    struct run_files_load *load = calloc(1, sizeof(*load));

    if (!load) {
        err_set(err, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
        return NULL;
    }
    *load = (struct run_files_load){.app = app,
                                    .files = files,
                                    .job_files = job_files,
                                    .on_loaded = on_loaded_,
                                    .context = context};
    snprintf(load->owner, sizeof(load->owner), "%s", owner);
    if (fetch(load, err) == 0)
        return load;
    free(load);
    return NULL;
}

void
run_files_forget(struct run_files_load *load)
{
    if (load->load)
        file_load_forget(load->load);
    free(load);
}
