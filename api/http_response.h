/* The head of a response. */
#ifndef RETORT_HTTP_RESPONSE_H
#define RETORT_HTTP_RESPONSE_H

#include <time.h>

#include "api/http.h"

/* The Date header changes once a second; formatting it would cost more than the rest. Zeroed. */
struct http_date {
    time_t second;
    char text[32];
};

struct http_response_head {
    int status;
    size_t body_bytes;        /* also for HEAD, which gets no body */
    const char *content_type; /* NULL: JSON */
    const char *request_id;
    const char *cache_control;    /* NULL: no-store */
    const struct buffer *headers; /* further lines, each with its CRLF */
    unsigned minor_version;       /* of the request */
    bool keep_alive;
    bool streamed; /* body_bytes are not known: in chunks, or up to the end of the connection */
};

void http_response_put_head(struct buffer *out, const struct http_response_head *head,
                            struct http_date *date);

#endif
