/* A queue's job as records for its process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/file_name.h"
#include "worker/executor.h"

/* Of a text's record beside its bytes, at the most: its head, and the padding behind it. */
#define TEXT_HEAD_BYTES (sizeof(struct job_record) + 8)
/* The arguments and the environment of a job. */
#define TEXTS_CAPACITY  (2 * (JOB_TEXTS_MOST_BYTES + JOB_TEXTS_MOST * TEXT_HEAD_BYTES))
#define RECORDS_SLACK   4096
#define WORK_BYTES      (sizeof(EXECUTION_WORK) - 1)
/* Of a file's record beside its contents, at the most. */
#define FILE_HEAD_BYTES (sizeof(struct job_record) + WORK_BYTES + FILE_NAME_BYTES + 16)

static void
fill_fixed(const struct job *job, struct execution_record *records)
{
    records[0] = (struct execution_record){
        .type = JOB_RECORD_ARG, .data = EXECUTION_MAIN_PATH, .size = strlen(EXECUTION_MAIN_PATH)};
    records[1] = (struct execution_record){.type = JOB_RECORD_FILE,
                                           .name = EXECUTION_MAIN_PATH,
                                           .data = job->code.data,
                                           .size = job->code.size};
    records[2] = (struct execution_record){
        .type = JOB_RECORD_STDIN, .data = job->input.data, .size = job->input.size};
}

static size_t
paths_bytes(const struct job_files *files)
{
    size_t total = 0;

    for (size_t i = 0; i < files->count; i++)
        total += WORK_BYTES + files->list[i].name.size + 1;
    return total;
}

static void
fill_files(const struct job_files *files, char *path, struct execution_record *records)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct job_file *file = &files->list[i];
        records[i] = (struct execution_record){.type = JOB_RECORD_FILE,
                                               .name = path,
                                               .data = file->data.data,
                                               .size = file->data.size};
        memcpy(path, EXECUTION_WORK, WORK_BYTES);
        memcpy(path + WORK_BYTES, file->name.data, file->name.size + 1);
        path += WORK_BYTES + file->name.size + 1;
    }
}

static struct execution_record *
fill_texts(const struct texts *texts, enum job_record_type type, struct execution_record *records)
{
    for (size_t i = 0; i < texts->count; i++)
        *records++ = (struct execution_record){
            .type = type, .data = texts->list[i].data, .size = texts->list[i].size};
    return records;
}

int
execution_records_init(struct execution_records *records, const struct job *job, struct err *err)
{
    size_t more = job->args.count + job->env.count + job->files.count;
    size_t count = EXECUTION_FIXED_RECORDS + more;
    struct execution_record *next;

    *records = (struct execution_records){.list = records->fixed, .count = count};
    if (more > 0) {
        records->paths = malloc(paths_bytes(&job->files) + 1);
        records->list = malloc(count * sizeof(*records->list));
        if (records->paths == NULL || records->list == NULL)
            return err_set(err, ERR_SANDBOX_ERROR, ENOMEM, "cannot keep a job's files");
        next = records->list + EXECUTION_FIXED_RECORDS;
        next = fill_texts(&job->args, JOB_RECORD_ARG, next);
        next = fill_texts(&job->env, JOB_RECORD_ENV, next);
        fill_files(&job->files, records->paths, next);
    }
    fill_fixed(job, records->list);
    return 0;
}

void
execution_records_fini(struct execution_records *records)
{
    if (records->list != records->fixed)
        free(records->list);
    free(records->paths);
    records->list = NULL;
    records->paths = NULL;
}

size_t
execution_input_capacity(size_t max_code_bytes, size_t max_stdin_bytes, size_t max_files,
                         size_t max_files_bytes)
{
    return max_code_bytes + max_stdin_bytes + max_files * FILE_HEAD_BYTES + max_files_bytes +
           TEXTS_CAPACITY + RECORDS_SLACK;
}
