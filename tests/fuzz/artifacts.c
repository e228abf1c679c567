/* libs: libworker.a libcommon.a */
/* What a job process left as artifacts, any bytes: what is believed keeps to names and limits. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/file_name.h"
#include "worker/artifacts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct job_limits limits = {
        .artifacts = 4, .artifact_bytes = 16, .artifacts_total_bytes = 32};
    struct job_memory_header *header = calloc(1, sizeof(*header) + size);
    struct job_memory memory = {
        .header = header, .artifact_offset = sizeof(*header), .artifact_capacity = size};
    struct artifacts artifacts;

    header->artifact_bytes = size > 0 && data[size - 1] & 1 ? UINT64_MAX : size;
    header->artifacts_done = 1;
    memcpy(header + 1, data, size);
    if (artifacts_read(&memory, &limits, &artifacts) == 0) {
        assert(artifacts.count <= 4 && artifacts.refused_count <= ARTIFACTS_REFUSED_MOST);
        for (size_t i = 0; i < artifacts.count; i++) {
            const struct artifact *one = &artifacts.list[i];
            assert(file_name_fault(one->name.data, one->name.size, FILE_NAME_BYTES) == NULL);
            assert(one->data.size <= 16);
        }
        artifacts_fini(&artifacts);
    }
    free(header);
    return 0;
}
