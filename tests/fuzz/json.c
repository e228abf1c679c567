/* libs: libapi.a libcommon.a */
/* Bodies of POST /v1/execute: a job, or an answer that says what is wrong. */
#include <string.h>

#include "api/execute_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct config config = {.max_exec_timeout_ms = 5000,
                                         .max_code_bytes = 100,
                                         .max_stdin_bytes = 100,
                                         .max_files = 4,
                                         .max_files_bytes = 100};
    struct err err = ERR_INIT;
    struct job job = {.id = ""};
    struct validation validation = {.count = 0};
    struct buffer body = BUFFER_INIT, answer = BUFFER_INIT;

    buffer_append(&body, (const char *)data, size);
    execute_request_parse(&body, &config, &job, &validation, &err);
    validation_put(&validation, &answer);
    job_fini(&job);
    validation_fini(&validation);
    buffer_fini(&answer);
    buffer_fini(&body);
    return 0;
}
