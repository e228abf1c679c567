/* libs: libretort-sandbox.a */
/* A job's records: a walk over any bytes ends, and stays inside them. */
#include <stdlib.h>
#include <string.h>

#include "worker/job_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile char seen;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct job_memory_header *header = calloc(1, sizeof(*header) + size);
    struct job_record_view view;
    uint64_t cursor = 0;

    header->input_offset = sizeof(*header);
    header->input_capacity = header->input_bytes = size;
    memcpy(header + 1, data, size);
    while (job_memory_next_record(header, &cursor, &view) == 1) {
        seen = seen ^ (view.name_bytes > 0 ? view.name[0] ^ view.name[view.name_bytes - 1] : 0);
        seen = seen ^ (view.data_bytes > 0 ? view.data[0] ^ view.data[view.data_bytes - 1] : 0);
    }
    free(header);
    return 0;
}
