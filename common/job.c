#include "common/job.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/file_name.h"

int
job_new_id(char *id, struct err *err)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char random[(JOB_ID_SIZE - 1) / 2];
    /* Reads of up to 256 bytes are never cut short once the pool is initialized. */
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return err_set(err, ERR_SYSTEM, errno, "reading random bytes for a job's id");
    for (size_t i = 0; i < sizeof(random); i++) {
        id[2 * i] = hex[random[i] >> 4];
        id[2 * i + 1] = hex[random[i] & 15];
    }
    id[JOB_ID_SIZE - 1] = '\0';
    return 0;
}

static int
job_files_grow(struct job_files *files)
{
    size_t capacity = files->capacity * 2 + 8;

    if (files->count == JOB_FILES_MOST)
        return -1;
    if (files->count < files->capacity)
        return 0;
    struct job_file *longer = realloc(files->list, capacity * sizeof(*longer));
    if (!longer)
        return -1;
    files->list = longer;
    files->capacity = capacity;
    return 0;
}

int
job_files_take(struct job_files *files, const char *name, size_t name_size, struct bytes *data)
{
    struct job_file file = {.data = *data};

    *data = (struct bytes){0};
    if (job_files_grow(files) < 0 || bytes_copy(&file.name, name, name_size) < 0) {
        bytes_fini(&file.data);
        return -1;
    }
    files->list[files->count++] = file;
    return 0;
}

int
job_files_add(struct job_files *files, const char *name, size_t name_size, const void *data,
              size_t size)
{
    struct bytes copy;

    if (bytes_copy(&copy, data, size) < 0)
        return -1;
    return job_files_take(files, name, name_size, &copy);
}

const char *
job_files_name_fault(const struct job_files *files, const char *name, size_t size)
{
    const char *fault = file_name_fault(name, size, FILE_NAME_DEPTH);

    if (fault)
        return fault;
    if (file_names_collide(name, size, JOB_MAIN_NAME, strlen(JOB_MAIN_NAME)))
        return "is the program's own, \"" JOB_MAIN_NAME "\"";
    if (size == strlen(JOB_OUTPUTS_NAME) && memcmp(name, JOB_OUTPUTS_NAME, size) == 0)
        return "is that of the directory \"" JOB_OUTPUTS_NAME "\"";
    for (size_t i = 0; i < files->count; i++) {
        const struct bytes *other = &files->list[i].name;
        if (file_names_collide(name, size, other->data, other->size))
            return "is taken by another file, or by its directory";
    }
    return NULL;
}

uint64_t
job_files_bytes(const struct job_files *files)
{
    uint64_t total = 0;

    for (size_t i = 0; i < files->count; i++)
        total += files->list[i].data.size;
    return total;
}

static void
job_files_fini(struct job_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        bytes_fini(&files->list[i].name);
        bytes_fini(&files->list[i].data);
    }
    free(files->list);
    *files = (struct job_files){0};
}

void
job_input_fini(struct job *job)
{
    bytes_fini(&job->code);
    bytes_fini(&job->input);
    job_files_fini(&job->files);
    texts_fini(&job->args);
    texts_fini(&job->env);
}

void
job_fini(struct job *job)
{
    job_input_fini(job);
    memset(job, 0, sizeof(*job));
}

void
result_fini(struct result *result)
{
    bytes_fini(&result->out.kept);
    bytes_fini(&result->err.kept);
    artifacts_fini(&result->artifacts);
    memset(result, 0, sizeof(*result));
}
