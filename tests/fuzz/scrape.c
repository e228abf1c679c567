/* libs: libworker.a libcommon.a */
/* Heads that the worker's metrics server gets. */
#include <stdint.h>
#include <stdlib.h>

#include "worker/metrics_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct metrics_request request = metrics_request_read((const char *)data, size);

    if (request.head_only && size < 4)
        abort();
    return 0;
}
