#include "common/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

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

int
bytes_copy(struct bytes *dst, const void *data, size_t size)
{
    *dst = (struct bytes){0};
    if (size == 0)
        return 0;
    if (size == SIZE_MAX)
        return -1;
    dst->data = malloc(size + 1);
    if (!dst->data)
        return -1;
    memcpy(dst->data, data, size);
    dst->data[size] = '\0';
    dst->size = size;
    return 0;
}

void
bytes_fini(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

void
job_fini(struct job *job)
{
    bytes_fini(&job->code);
    bytes_fini(&job->input);
    memset(job, 0, sizeof(*job));
}

void
result_fini(struct result *result)
{
    bytes_fini(&result->out.kept);
    bytes_fini(&result->err.kept);
    memset(result, 0, sizeof(*result));
}
