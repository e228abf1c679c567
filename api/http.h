/* A request as the handlers see it: plain data, made by the parser (or by a test). */
#ifndef RETORT_HTTP_H
#define RETORT_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "api/buffer.h"

#define HTTP_HEADERS_MAX    100
/* Request line and headers together; beyond it 414 or 431. */
#define HTTP_HEAD_MAX_BYTES 16384

enum http_method {
    HTTP_METHOD_OTHER = 0,
#define HTTP_METHOD(name) HTTP_METHOD_##name,
#include "api/http_method.def"
#undef HTTP_METHOD
    HTTP_METHOD_COUNT
};

enum http_status {
#define HTTP_STATUS(symbol, number, reason, error) HTTP_##symbol = number,
#include "api/http_status.def"

#define ROUTE_ID_SIZE 65 /* of what stands for {id} in a route, with its NUL */
#undef HTTP_STATUS
};

struct http_header {
    const char *name; /* as sent */
    const char *value;
};

struct http_request {
    enum http_method method;
    const char *method_name; /* as sent; static */
    const char *path;        /* without query; "*" for OPTIONS * */
    const char *query;       /* after the '?', or "" */
    unsigned minor_version;  /* HTTP/1.minor */
    bool keep_alive;
    bool chunked;
    bool has_length;
    uint64_t content_length; /* valid when has_length */
    struct http_header headers[HTTP_HEADERS_MAX];
    unsigned header_count;
    struct buffer body;
};

/* Value of the first header of that name (any case), or NULL. */
const char *http_request_header(const struct http_request *request, const char *name);
unsigned http_request_header_count(const struct http_request *request, const char *name);
/* Whether a body follows the headers. */
bool http_request_has_body(const struct http_request *request);

/* "POST"; "OTHER" for HTTP_METHOD_OTHER. Static. */
const char *http_method_text(enum http_method method);
enum http_method http_method_from_text(const char *text);
/* "Not Found"; "Unknown" for numbers that are not in the table. Static. */
const char *http_status_reason(int status);
/* Name of the error in the body ("not_found"). Static. */
const char *http_status_error(int status);

#endif
