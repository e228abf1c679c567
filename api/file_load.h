/*
 * The content of a file for a job.
 *
 *     load = file_load(app, owner, file_id, most, &to, &err);
 *     file_load_forget(load);          whoever waited is gone; not after on_loaded()
 */
#ifndef RETORT_FILE_LOAD_H
#define RETORT_FILE_LOAD_H

#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"

struct app;
struct file_load;

struct file_load_to {
    /*
     * Once, never before file_load() returns. data may be taken (set it to zero), else it is
     * freed. err: INVALID when owner has no such file, TOO_LARGE beyond most, or what failed; data
     * is then NULL.
     */
    void (*on_loaded)(void *context, struct bytes *data, const struct err *err);
    void *context;
};

/* Borrows all for the call only, app for longer. most: bytes. NULL: err is set as above. */
struct file_load *file_load(struct app *app, const char *owner, const char *file_id, uint64_t most,
                            const struct file_load_to *to, struct err *err);
void file_load_forget(struct file_load *load);

#endif
