/* libs: libcommon.a */
/* Queue elements, blobs, results and dead letters, of which the first byte chooses. */
#include "common/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    struct job job = {.id = ""};
    struct result result = {.detail = ""};
    struct codec_letter letter;
    bool has_input;

    if (size == 0)
        return 0;
    if (data[0] % 4 == 0 && codec_unpack_element(data + 1, size - 1, &job, &has_input, &err) == 0)
        job_fini(&job);
    if (data[0] % 4 == 1 && codec_unpack_blob(data + 1, size - 1, &job, &err) == 0)
        job_fini(&job);
    if (data[0] % 4 == 2 && codec_unpack_result(data + 1, size - 1, &result, &err) == 0)
        result_fini(&result);
    if (data[0] % 4 == 3 && codec_unpack_letter(data + 1, size - 1, &letter, &err) == 0)
        bytes_fini(&letter.element);
    return 0;
}
