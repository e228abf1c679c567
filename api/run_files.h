/*
 * The member "files" of POST /v1/runs: [{"file_id": what POST /v1/files gave, "path": below
 * /work}], and fetching their contents.
 */
#ifndef RETORT_RUN_FILES_H
#define RETORT_RUN_FILES_H

#include "api/app.h"
#include "api/file_records.h"
#include "api/validation.h"

struct run_file {
    char id[FILE_ID_SIZE];
    size_t index; /* in job.files, where its content goes */
};

struct run_files {
    struct run_file *list;
    size_t count;
};

/*
 * Appends the files of the request's array (or NULL: none), still empty, to the job's, and tells in
 * files where their contents are. What is wrong with them goes to validation. -1: err is set.
 */
int run_files_take(const struct json_value *value, const struct config *config,
                   struct job_files *job_files, struct run_files *files,
                   struct validation *validation, struct err *err);
void run_files_fini(struct run_files *files);

struct run_files_load;
/*
 * Fetches the contents, one after the other, into job_files, at most MAX_FILES_BYTES together. All
 * are borrowed until on_loaded, which is called once, never before this returns: err NULL, or what
 * is wrong, with param the member that it is about ("files[0].file_id"), or NULL. NULL: err is set.
 */
typedef void run_files_fn(void *context, const struct err *err, const char *param);
struct run_files_load *run_files_load(struct app *app, const char *owner,
                                      const struct run_files *files, struct job_files *job_files,
                                      run_files_fn *on_loaded, void *context, struct err *err);
/* on_loaded is not called any more. Not from within it. */
void run_files_forget(struct run_files_load *load);

#endif
