/*
 * Records are complete one by one: the count of used bytes is raised behind each, so that whatever
 * ends the process leaves a list that can be read. Only with DONE is it believed to be whole.
 */
#include "worker/sandbox/artifacts.h"

#include <string.h>

#include "common/artifact.h"
#include "worker/wasi/outputs.h"

/* How far the area is filled, and what may still come. */
struct area {
    struct job_memory_header *shared;
    uint64_t used_bytes;
    uint64_t count_left, total_left;
    uint32_t refused;
};

static bool
add_record(struct area *area, const struct output *output, enum artifact_fault fault)
{
    struct job_memory_header *shared = area->shared;
    struct artifact_record record = {.kept = fault == ARTIFACT_FAULT_UNKNOWN,
                                     .fault = (uint16_t)fault,
                                     .name_bytes = (uint32_t)output->path_bytes,
                                     .size = output->size};
    size_t data_bytes = record.kept ? (size_t)output->size : 0;
    size_t needed = artifact_record_bytes(output->path_bytes, data_bytes);

    if (needed > shared->artifact_capacity - area->used_bytes)
        return false;
    char *at = (char *)shared + shared->artifact_offset + area->used_bytes;
    memcpy(at, &record, sizeof(record));
    memcpy(at + sizeof(record), output->path, output->path_bytes);
    if (data_bytes > 0)
        outputs_read(output, at + sizeof(record) + output->path_bytes, data_bytes);
    area->used_bytes += needed;
    atomic_store_explicit(&shared->artifact_bytes, area->used_bytes, memory_order_release);
    return true;
}

static void
refuse(struct area *area, const struct output *output, enum artifact_fault fault)
{
    if (area->refused < ARTIFACTS_REFUSED_MOST)
        (void)add_record(area, output, fault);
    area->refused++;
    atomic_store_explicit(&area->shared->artifacts_refused, area->refused, memory_order_relaxed);
}

/* ARTIFACT_FAULT_UNKNOWN: none. */
static enum artifact_fault
fault_of(const struct area *area, const struct output *output)
{
    switch (output->kind) {
    case OUTPUT_FILE:
        break;
    case OUTPUT_LINK:
        return ARTIFACT_FAULT_LINK;
    case OUTPUT_OTHER:
        return ARTIFACT_FAULT_NOT_A_FILE;
    case OUTPUT_TOO_LONG:
        return ARTIFACT_FAULT_BAD_NAME;
    }
    if (file_name_fault(output->path, output->path_bytes, FILE_NAME_BYTES) != NULL)
        return ARTIFACT_FAULT_BAD_NAME;
    if (output->size > area->shared->artifact_limit_bytes)
        return ARTIFACT_FAULT_TOO_LARGE;
    if (area->count_left == 0)
        return ARTIFACT_FAULT_TOO_MANY;
    return output->size > area->total_left ? ARTIFACT_FAULT_TOTAL_TOO_LARGE
                                           : ARTIFACT_FAULT_UNKNOWN;
}

static void
take(struct area *area, const struct output *output)
{
    enum artifact_fault fault = fault_of(area, output);

    if (fault != ARTIFACT_FAULT_UNKNOWN) {
        refuse(area, output, fault);
        return;
    }
    if (!add_record(area, output, fault)) {
        refuse(area, output, ARTIFACT_FAULT_TOTAL_TOO_LARGE);
        return;
    }
    area->count_left--;
    area->total_left -= output->size;
}

void
artifacts_collect(struct job_memory_header *shared, void (*before)(void))
{
    struct area area = {.shared = shared,
                        .count_left = shared->artifact_limit_count,
                        .total_left = shared->artifact_limit_total_bytes};
    struct output_walk walk;
    struct output output;

    if (shared->artifact_capacity == 0 || !outputs_begin(&walk))
        return;
    before();
    while (outputs_next(&walk, &output))
        take(&area, &output);
    atomic_store_explicit(&shared->artifacts_done, 1, memory_order_release);
}
