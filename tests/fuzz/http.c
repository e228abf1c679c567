/* libs: libapi.a libcommon.a */
/* HTTP requests, in pieces as large as the first byte says. */
#include "api/http_parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    struct http_parser parser;
    size_t used = 1, consumed, step = size > 0 ? data[0] + 1u : 1;
    enum http_parse outcome = HTTP_PARSE_MORE;

    if (http_parser_init(&parser, &err) < 0)
        return 0;
    while (used < size && outcome != HTTP_PARSE_ERROR) {
        size_t piece = size - used < step ? size - used : step;
        outcome = http_parser_feed(&parser, (const char *)data + used, piece, &consumed);
        used += consumed;
        parser.body_limit = 1000;
        parser.body_limit_name = "LIMIT";
        if (outcome == HTTP_PARSE_DONE)
            http_parser_reset(&parser);
    }
    http_parser_fini(&parser);
    return 0;
}
