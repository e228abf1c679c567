#include "api/http.h"

#include <strings.h>

const char *
http_request_header(const struct http_request *request, const char *name)
{
    for (unsigned i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    }
    return NULL;
}

unsigned
http_request_header_count(const struct http_request *request, const char *name)
{
    unsigned count = 0;
    for (unsigned i = 0; i < request->header_count; i++)
        count += strcasecmp(request->headers[i].name, name) == 0;
    return count;
}

bool
http_request_has_body(const struct http_request *request)
{
    return request->chunked || (request->has_length && request->content_length > 0);
}

static const char *const method_names[HTTP_METHOD_COUNT] = {
    [HTTP_METHOD_OTHER] = "OTHER",
#define HTTP_METHOD(name) [HTTP_METHOD_##name] = #name,
#include "api/http_method.def"
#undef HTTP_METHOD
};

const char *
http_method_text(enum http_method method)
{
    return method_names[method];
}

enum http_method
http_method_from_text(const char *text)
{
    for (int method = HTTP_METHOD_OTHER + 1; method < HTTP_METHOD_COUNT; method++) {
        if (strcmp(method_names[method], text) == 0)
            return (enum http_method)method;
    }
    return HTTP_METHOD_OTHER;
}

static const struct status_row {
    int number;
    const char *reason, *error;
} statuses[] = {
#define HTTP_STATUS(symbol, number, reason, error) {number, reason, error},
#include "api/http_status.def"
#undef HTTP_STATUS
};

static const struct status_row *
find_status(int number)
{
    static const struct status_row unknown = {0, "Unknown", "unknown"};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (statuses[i].number == number)
            return &statuses[i];
    }
    return &unknown;
}

const char *
http_status_reason(int status)
{
    return find_status(status)->reason;
}

const char *
http_status_error(int status)
{
    return find_status(status)->error;
}
