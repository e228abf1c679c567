#include "api/http_parser.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <llhttp.h>

/* Kept between the requests of a connection. */
#define KEPT_HEAD_BYTES        2048
#define KEPT_BODY_BYTES        4096
/*
 * Framing of a chunked body (chunk sizes, extensions, trailers) is not body, so the body's limit
 * does not bound it. This does; one-byte chunks cost six bytes each.
 */
#define FRAMING_FREE_BYTES     16384
#define FRAMING_BYTES_PER_BYTE 8

struct header_span {
    size_t name, value; /* offsets in head */
};

struct http_parser_state {
    llhttp_t llhttp;
    struct buffer head; /* target, names and values, each with its NUL */
    struct header_span spans[HTTP_HEADERS_MAX];
    unsigned span_count;
    bool head_done;
    bool target_done;
    uint64_t head_bytes; /* consumed before the end of the headers */
    uint64_t tail_bytes; /* consumed after it, body and framing */
    uint64_t body_bytes;
};

static int
refuse(struct http_parser *parser, int status, const char *sentence)
{
    if (parser->status == 0) {
        parser->status = status;
        snprintf(parser->sentence, sizeof(parser->sentence), "%s", sentence);
    }
    return HPE_USER;
}

/* ---- llhttp's callbacks ------------------------------------------------------------------- */

static struct http_parser_state *
state_of(llhttp_t *llhttp)
{
    return ((struct http_parser *)llhttp->data)->state;
}

static int
on_target(llhttp_t *llhttp, const char *at, size_t size)
{
    buffer_append(&state_of(llhttp)->head, at, size);
    return 0;
}

static int
on_target_complete(llhttp_t *llhttp)
{
    buffer_putc(&state_of(llhttp)->head, '\0');
    state_of(llhttp)->target_done = true;
    return 0;
}

static int
on_header_name(llhttp_t *llhttp, const char *at, size_t size)
{
    struct http_parser_state *state = state_of(llhttp);
    if (state->head_done) /* trailers are read past */
        return 0;
    if (state->span_count == HTTP_HEADERS_MAX)
        return refuse(llhttp->data, HTTP_HEADERS_TOO_LARGE, "The request has too many headers.");
    struct header_span *span = &state->spans[state->span_count];
    if (span->name == 0)
        span->name = state->head.size;
    buffer_append(&state->head, at, size);
    return 0;
}

static int
on_header_name_complete(llhttp_t *llhttp)
{
    struct http_parser_state *state = state_of(llhttp);
    if (state->head_done)
        return 0;
    buffer_putc(&state->head, '\0');
    state->spans[state->span_count].value = state->head.size;
    return 0;
}

static int
on_header_value(llhttp_t *llhttp, const char *at, size_t size)
{
    if (!state_of(llhttp)->head_done)
        buffer_append(&state_of(llhttp)->head, at, size);
    return 0;
}

static int
on_header_value_complete(llhttp_t *llhttp)
{
    struct http_parser_state *state = state_of(llhttp);
    if (state->head_done)
        return 0;
    buffer_putc(&state->head, '\0');
    state->span_count++;
    if (state->span_count < HTTP_HEADERS_MAX)
        state->spans[state->span_count] = (struct header_span){0};
    return 0;
}

static void
trim_right(char *text)
{
    size_t size = strlen(text);
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        text[--size] = '\0';
}

/* Origin form, absolute form (RFC 9112, 3.2) or "*"; the authority is not looked at. */
static void
split_target(struct http_request *request, char *target)
{
    if (strncasecmp(target, "http://", 7) == 0 || strncasecmp(target, "https://", 8) == 0) {
        char *authority = strstr(target, "//") + 2;
        size_t length = strcspn(authority, "/?#");
        target = authority + length;
    }
    target[strcspn(target, "#")] = '\0';
    char *question = strchr(target, '?');
    request->query = question ? question + 1 : "";
    if (question)
        *question = '\0';
    request->path = *target ? target : "/";
}

static int
check_framing(struct http_parser *parser)
{
    const struct http_request *request = &parser->request;
    const char *coding = http_request_header(request, "transfer-encoding");
    if (coding && request->minor_version == 0)
        return refuse(parser, HTTP_BAD_REQUEST, "HTTP/1.0 has no Transfer-Encoding.");
    if (coding && (strcasecmp(coding, "chunked") != 0 ||
                   http_request_header_count(request, "transfer-encoding") != 1))
        return refuse(parser, HTTP_BAD_REQUEST,
                      "The only Transfer-Encoding understood is chunked.");
    unsigned hosts = http_request_header_count(request, "host");
    if (hosts > 1 || (hosts == 0 && request->minor_version >= 1))
        return refuse(parser, HTTP_BAD_REQUEST, "HTTP/1.1 needs exactly one Host header.");
    return 0;
}

static int
on_headers_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    struct http_parser_state *state = parser->state;
    struct http_request *request = &parser->request;
    state->head_done = true;
    if (state->head.failed)
        return refuse(parser, HTTP_UNAVAILABLE, "Out of memory; try again in a moment.");
    if (llhttp->http_major == 0)
        return refuse(parser, HTTP_BAD_REQUEST, "The request line names no HTTP version.");
    if (llhttp->http_major != 1)
        return refuse(parser, HTTP_VERSION_NOT_SUPPORTED, "Only HTTP/1.1 and HTTP/1.0 are spoken.");

    request->method_name = llhttp_method_name((llhttp_method_t)llhttp->method);
    request->method = http_method_from_text(request->method_name);
    request->minor_version = llhttp->http_minor;
    request->keep_alive = llhttp_should_keep_alive(llhttp) != 0;
    request->chunked = (llhttp->flags & F_CHUNKED) != 0;
    request->has_length = (llhttp->flags & F_CONTENT_LENGTH) != 0;
    request->content_length = request->has_length ? llhttp->content_length : 0;
    request->header_count = state->span_count;
    for (unsigned i = 0; i < state->span_count; i++) {
        char *value = state->head.data + state->spans[i].value;
        trim_right(value);
        request->headers[i] = (struct http_header){state->head.data + state->spans[i].name, value};
    }
    split_target(request, state->head.data);
    /* No other protocol is spoken here, so an offer to upgrade is passed over (RFC 9110, 7.8). */
    llhttp->upgrade = 0;
    int refused = check_framing(parser);
    return refused ? refused : HPE_PAUSED;
}

static int
on_body(llhttp_t *llhttp, const char *at, size_t size)
{
    struct http_parser *parser = llhttp->data;
    struct buffer *body = &parser->request.body;
    if (size > parser->body_limit - parser->state->body_bytes) {
        refuse(parser, HTTP_CONTENT_TOO_LARGE, "");
        snprintf(parser->sentence, sizeof(parser->sentence),
                 "The request body is larger than %s, %" PRIu64 " bytes.", parser->body_limit_name,
                 parser->body_limit);
        return HPE_USER;
    }
    parser->state->body_bytes += size;
    if (parser->on_body) {
        if (parser->on_body(parser->body_context, at, size, &parser->failure) == 0)
            return 0;
        parser->status = err_code_http_status(parser->failure.code);
        return HPE_USER;
    }
    buffer_append(body, at, size);
    if (body->failed)
        return refuse(parser, HTTP_UNAVAILABLE, "Out of memory; try again in a moment.");
    return 0;
}

static int
on_message_complete(llhttp_t *llhttp)
{
    (void)llhttp;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_target,
    .on_url_complete = on_target_complete,
    .on_header_field = on_header_name,
    .on_header_field_complete = on_header_name_complete,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* ---- feeding ------------------------------------------------------------------------------ */

int
http_parser_init(struct http_parser *parser, struct err *err)
{
    *parser = (struct http_parser){.body_limit = 0};
    parser->state = calloc(1, sizeof(*parser->state));
    if (!parser->state)
        return err_set(err, ERR_SYSTEM, 0, "out of memory for a connection");
    http_parser_reset(parser);
    return 0;
}

void
http_parser_fini(struct http_parser *parser)
{
    if (parser->state)
        buffer_fini(&parser->state->head);
    free(parser->state);
    buffer_fini(&parser->request.body);
    *parser = (struct http_parser){.body_limit = 0};
}

void
http_parser_reset(struct http_parser *parser)
{
    struct http_parser_state *state = parser->state;
    buffer_reset(&state->head, KEPT_HEAD_BYTES);
    buffer_reset(&parser->request.body, KEPT_BODY_BYTES);
    llhttp_init(&state->llhttp, HTTP_REQUEST, &settings);
    state->llhttp.data = parser;
    state->span_count = 0;
    state->spans[0] = (struct header_span){0};
    state->head_done = state->target_done = false;
    state->head_bytes = state->tail_bytes = state->body_bytes = 0;
    parser->on_body = NULL;
    parser->failure = (struct err)ERR_INIT;
    parser->request.header_count = 0;
    parser->request.method = HTTP_METHOD_OTHER;
    parser->request.method_name = parser->request.path = parser->request.query = NULL;
    parser->body_limit = 0;
    parser->body_limit_name = "";
    parser->status = 0;
    parser->sentence[0] = '\0';
}

static enum http_parse
fail(struct http_parser *parser, llhttp_errno_t code)
{
    if (parser->status != 0)
        return HTTP_PARSE_ERROR;
    parser->status = HTTP_BAD_REQUEST;
    const char *reason = llhttp_get_error_reason(&parser->state->llhttp);
    if (code == HPE_PAUSED_H2_UPGRADE)
        reason = "HTTP/2 is not spoken here, use HTTP/1.1";
    snprintf(parser->sentence, sizeof(parser->sentence),
             "The request is not well-formed HTTP/1.1: %s.", reason ? reason : "unknown reason");
    return HTTP_PARSE_ERROR;
}

static enum http_parse
head_too_large(struct http_parser *parser)
{
    if (parser->state->target_done)
        refuse(parser, HTTP_HEADERS_TOO_LARGE, "The request's headers are larger than 16 KiB.");
    else
        refuse(parser, HTTP_URI_TOO_LONG, "The request's target is longer than 16 KiB.");
    return HTTP_PARSE_ERROR;
}

/* Whether framing is out of proportion to the body that it carries. */
static bool
framing_exceeds(const struct http_parser *parser)
{
    uint64_t body = parser->state->body_bytes;
    return parser->state->tail_bytes > body + FRAMING_FREE_BYTES + body * FRAMING_BYTES_PER_BYTE;
}

enum http_parse
http_parser_feed(struct http_parser *parser, const char *data, size_t size, size_t *consumed)
{
    struct http_parser_state *state = parser->state;
    llhttp_t *llhttp = &state->llhttp;
    *consumed = 0;
    if (parser->status != 0)
        return HTTP_PARSE_ERROR;
    if (!state->head_done && size > HTTP_HEAD_MAX_BYTES - state->head_bytes)
        size = HTTP_HEAD_MAX_BYTES - state->head_bytes;
    if (llhttp_get_errno(llhttp) == HPE_PAUSED)
        llhttp_resume(llhttp);

    bool was_head = !state->head_done;
    llhttp_errno_t code = llhttp_execute(llhttp, data, size);
    *consumed = code == HPE_OK ? size : (size_t)(llhttp_get_error_pos(llhttp) - data);
    if (was_head)
        state->head_bytes += *consumed;
    else
        state->tail_bytes += *consumed;

    if (!was_head && framing_exceeds(parser))
        refuse(parser, HTTP_BAD_REQUEST, "The chunks of the body carry more framing than body.");
    if (parser->status != 0 || (code != HPE_OK && code != HPE_PAUSED))
        return fail(parser, code);
    if (code == HPE_PAUSED)
        return was_head ? HTTP_PARSE_HEADERS : HTTP_PARSE_DONE;
    if (was_head && state->head_bytes == HTTP_HEAD_MAX_BYTES)
        return head_too_large(parser);
    return HTTP_PARSE_MORE;
}
