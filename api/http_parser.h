/*
 * HTTP/1.1 requests from bytes, one at a time. This module is the only one that knows llhttp,
 * which runs in its strict mode: no bare LF, no obsolete folding, no Content-Length beside
 * Transfer-Encoding, no second Content-Length.
 *
 *     switch (http_parser_feed(&parser, data, size, &consumed)) ...
 *
 * Feeding stops at the end of the headers (HTTP_PARSE_HEADERS): the caller looks at
 * parser->request, decides, sets parser->body_limit and feeds on; or answers and closes. It stops
 * again at the end of the message (HTTP_PARSE_DONE). http_parser_reset() begins the next one.
 */
#ifndef RETORT_HTTP_PARSER_H
#define RETORT_HTTP_PARSER_H

#include <stdint.h>

#include "api/http.h"
#include "common/err.h"

enum http_parse {
    HTTP_PARSE_MORE,    /* everything was consumed; the request goes on */
    HTTP_PARSE_HEADERS, /* headers are complete */
    HTTP_PARSE_DONE,    /* the request is complete; consumed is its end */
    HTTP_PARSE_ERROR,   /* status and sentence are set; nothing more can be parsed */
};

struct http_parser {
    struct http_request request; /* valid from HTTP_PARSE_HEADERS on, until the next reset */
    uint64_t body_limit;         /* bytes; set by the caller at HTTP_PARSE_HEADERS */
    const char *body_limit_name; /* the setting to name in a 413; static */
    int status;                  /* on HTTP_PARSE_ERROR: what to answer */
    char sentence[200];          /* on HTTP_PARSE_ERROR: why */
    /*
     * Takes the body instead of request.body; set at HTTP_PARSE_HEADERS. -1: failure is set, and
     * is what to answer on HTTP_PARSE_ERROR.
     */
    int (*on_body)(void *context, const char *data, size_t size, struct err *err);
    void *body_context;
    struct err failure;
    struct http_parser_state *state;
};

/* -1: out of memory. */
int http_parser_init(struct http_parser *parser, struct err *err);
void http_parser_fini(struct http_parser *parser);
/* Forgets the request and gets ready for the next. Keeps small buffers. */
void http_parser_reset(struct http_parser *parser);
enum http_parse http_parser_feed(struct http_parser *parser, const char *data, size_t size,
                                 size_t *consumed);

#endif
