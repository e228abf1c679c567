#include "admin/element.h"

#include <string.h>

#include "common/codec.h"

bool
element_is_id(const char *text)
{
    return strlen(text) == JOB_ID_SIZE - 1 && strspn(text, "0123456789abcdef") == JOB_ID_SIZE - 1;
}

bool
element_id(const char *data, size_t size, char *id)
{
    struct job job = {.id = ""};
    struct err ignored = ERR_INIT;
    bool has_input;

    id[0] = '\0';
    if (codec_unpack_element(data, size, &job, &has_input, &ignored) < 0)
        return false;
    bool good = element_is_id(job.id);
    if (good)
        memcpy(id, job.id, JOB_ID_SIZE);
    job_fini(&job);
    return good;
}
