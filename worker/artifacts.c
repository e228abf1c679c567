#include "worker/artifacts.h"

#include <stdatomic.h>

#include "common/file_name.h"

struct reading {
    const struct job_limits *limits;
    struct artifacts *out;
    uint64_t total_bytes;
};

static bool
name_is_taken(const struct artifacts *artifacts, const char *name, size_t size)
{
    for (size_t i = 0; i < artifacts->count; i++) {
        const struct bytes *other = &artifacts->list[i].name;
        if (file_names_collide(name, size, other->data, other->size))
            return true;
    }
    return false;
}

/* UNKNOWN: it is good. */
static enum artifact_fault
fault_of(const struct reading *reading, const struct artifact_view *view)
{
    const struct artifact_record *record = &view->record;

    if (!record->kept)
        return record->fault < ARTIFACT_FAULT_COUNT ? (enum artifact_fault)record->fault
                                                    : ARTIFACT_FAULT_UNKNOWN;
    if (file_name_fault(view->name, record->name_bytes, FILE_NAME_BYTES) != NULL ||
        name_is_taken(reading->out, view->name, record->name_bytes))
        return ARTIFACT_FAULT_BAD_NAME;
    if (record->size > reading->limits->artifact_bytes)
        return ARTIFACT_FAULT_TOO_LARGE;
    if (reading->out->count >= reading->limits->artifacts)
        return ARTIFACT_FAULT_TOO_MANY;
    return record->size > reading->limits->artifacts_total_bytes - reading->total_bytes
               ? ARTIFACT_FAULT_TOTAL_TOO_LARGE
               : ARTIFACT_FAULT_UNKNOWN;
}

static int
take(struct reading *reading, const struct artifact_view *view)
{
    const struct artifact_record *record = &view->record;
    enum artifact_fault fault = fault_of(reading, view);

    if (!record->kept || fault != ARTIFACT_FAULT_UNKNOWN)
        return artifacts_refuse(reading->out, view->name, record->name_bytes,
                                record->size < INT64_MAX ? record->size : INT64_MAX, fault);
    reading->total_bytes += record->size;
    return artifacts_add(reading->out, view->name, record->name_bytes, view->data,
                         (size_t)record->size);
}

int
artifacts_read(const struct job_memory *memory, const struct job_limits *limits,
               struct artifacts *out)
{
    struct reading reading = {.limits = limits, .out = out};
    uint64_t records_left = (uint64_t)limits->artifacts + ARTIFACTS_REFUSED_MOST;
    struct artifact_view view;
    uint64_t cursor = 0;
    int more = 0;

    *out = (struct artifacts){.count = 0};
    if (atomic_load(&memory->header->artifacts_done) == 0)
        return 0;
    while (records_left-- > 0 && (more = job_memory_next_artifact(memory, &cursor, &view)) == 1) {
        if (take(&reading, &view) < 0) {
            artifacts_fini(out);
            return -1;
        }
    }
    if (more < 0)
        artifacts_fini(out);
    uint32_t refused = atomic_load(&memory->header->artifacts_refused);
    if (more >= 0 && refused > out->refused_total)
        out->refused_total = refused;
    return 0;
}
