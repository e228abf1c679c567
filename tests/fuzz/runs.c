/* libs: libapi.a libcommon.a */
/* Bodies of POST /v1/runs, and, behind a NUL, the query of GET /v1/runs. */
#include <string.h>

#include "api/query.h"
#include "api/run_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct config config = {.max_exec_timeout_ms = 5000,
                                         .max_code_bytes = 100,
                                         .max_stdin_bytes = 100,
                                         .max_files = 4,
                                         .max_files_bytes = 100};
    const struct app app = {.config = &config,
                            .languages = {.list = {{.name = "python"}}, .count = 1}};
    struct err err = ERR_INIT;
    struct run_request request;
    struct validation validation = {.count = 0};
    struct buffer body = BUFFER_INIT, answer = BUFFER_INIT;
    char value[16];

    buffer_append(&body, (const char *)data, size);
    buffer_putc(&body, '\0');
    (void)query_get(body.data, "after", value, sizeof(value));
    body.size = size;
    run_request_parse(&body, &app, &request, &validation, &err);
    validation_put(&validation, &answer);
    run_request_fini(&request);
    validation_fini(&validation);
    buffer_fini(&answer);
    buffer_fini(&body);
    return 0;
}
