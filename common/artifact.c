#include "common/artifact.h"

#include <stdlib.h>
#include <string.h>

#include "common/file_name.h"
#include "common/utf8.h"

struct fault_row {
    const char *name, *text;
};

static const struct fault_row rows[ARTIFACT_FAULT_COUNT] = {
#define ARTIFACT_FAULT(symbol, name, text) [ARTIFACT_FAULT_##symbol] = {name, text},
#include "common/artifact_fault.def"
#undef ARTIFACT_FAULT
};

static const struct fault_row *
row_of(enum artifact_fault fault)
{
    return &rows[(unsigned)fault < ARTIFACT_FAULT_COUNT ? fault : ARTIFACT_FAULT_UNKNOWN];
}

const char *
artifact_fault_name(enum artifact_fault fault)
{
    return row_of(fault)->name;
}

const char *
artifact_fault_text(enum artifact_fault fault)
{
    return row_of(fault)->text;
}

enum artifact_fault
artifact_fault_from_name(const char *name)
{
    for (unsigned i = 0; i < ARTIFACT_FAULT_COUNT; i++)
        if (strcmp(rows[i].name, name) == 0)
            return (enum artifact_fault)i;
    return ARTIFACT_FAULT_UNKNOWN;
}

/* Room for one more of count in a list of capacity. */
static int
grow(void **list, size_t *capacity, size_t count, size_t item_size)
{
    if (count < *capacity)
        return 0;
    size_t more = *capacity * 2 + 8;
    void *longer = realloc(*list, more * item_size);
    if (!longer)
        return -1;
    *list = longer;
    *capacity = more;
    return 0;
}

int
artifacts_add(struct artifacts *artifacts, const char *name, size_t name_size, const void *data,
              size_t size)
{
    struct artifact artifact;
    void *list = artifacts->list;

    if (artifacts->count == ARTIFACTS_MOST ||
        grow(&list, &artifacts->capacity, artifacts->count, sizeof(artifact)) < 0)
        return -1;
    artifacts->list = list;
    if (bytes_copy(&artifact.name, name, name_size) < 0)
        return -1;
    if (bytes_copy(&artifact.data, data, size) < 0) {
        bytes_fini(&artifact.name);
        return -1;
    }
    artifacts->list[artifacts->count++] = artifact;
    return 0;
}

/* Valid UTF-8 without NUL, cut between characters. */
static int
make_presentable(const char *name, size_t size, struct bytes *out)
{
    if (utf8_replace(name, size < FILE_NAME_BYTES ? size : FILE_NAME_BYTES, out) < 0)
        return -1;
    for (size_t i = 0; i < out->size; i++)
        if (out->data[i] == '\0')
            out->data[i] = '?';
    if (out->size > FILE_NAME_BYTES) {
        out->size = utf8_cut(out->data, FILE_NAME_BYTES);
        out->data[out->size] = '\0';
    }
    return 0;
}

int
artifacts_refuse(struct artifacts *artifacts, const char *name, size_t name_size, uint64_t size,
                 enum artifact_fault fault)
{
    struct artifact_refused refused = {.size = size, .fault = fault};
    void *list = artifacts->refused;

    artifacts->refused_total++;
    if (artifacts->refused_count == ARTIFACTS_REFUSED_MOST)
        return 0;
    if (grow(&list, &artifacts->refused_capacity, artifacts->refused_count, sizeof(refused)) < 0)
        return -1;
    artifacts->refused = list;
    if (make_presentable(name, name_size, &refused.name) < 0)
        return -1;
    artifacts->refused[artifacts->refused_count++] = refused;
    return 0;
}

void
artifacts_fini(struct artifacts *artifacts)
{
    for (size_t i = 0; i < artifacts->count; i++) {
        bytes_fini(&artifacts->list[i].name);
        bytes_fini(&artifacts->list[i].data);
    }
    for (size_t i = 0; i < artifacts->refused_count; i++)
        bytes_fini(&artifacts->refused[i].name);
    free(artifacts->list);
    free(artifacts->refused);
    *artifacts = (struct artifacts){0};
}
