/*
 * multipart/form-data (RFC 7578) from bytes as they come, without keeping more of them than the
 * head of one part. Strict: CRLF alone ends a line, nothing stands before the first delimiter, and
 * what RFC 2046 calls a delimiter is one, also inside of a line that goes on.
 *
 *     struct multipart multipart;
 *     if (multipart_init(&multipart, content_type, &events, context, &err) < 0) ...
 *     if (multipart_feed(&multipart, data, size, &err) < 0) ...     as often as there is data
 *     if (multipart_end(&multipart, &err) < 0) ...
 *
 * Errors are INVALID, or what an event returned.
 */
#ifndef RETORT_MULTIPART_H
#define RETORT_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define MULTIPART_BOUNDARY_BYTES 70 /* RFC 2046, 5.1.1 */
#define MULTIPART_HEAD_BYTES     8192
#define MULTIPART_TEXT_BYTES     256 /* of a name and of a media type, with the NUL */
#define MULTIPART_PARTS_MOST     16

struct multipart_part {
    char name[MULTIPART_TEXT_BYTES];
    bool has_filename;
    char filename[MULTIPART_TEXT_BYTES];     /* valid UTF-8 without control characters; a name and
                                              * no path: what stands before a last / or \ is cut */
    char content_type[MULTIPART_TEXT_BYTES]; /* as sent; "": none */
};

/* Each returns 0, or -1 with err set, which ends the parsing. data is never empty. */
struct multipart_events {
    int (*on_part)(void *context, const struct multipart_part *part, struct err *err);
    int (*on_data)(void *context, const char *data, size_t size, struct err *err);
    int (*on_part_end)(void *context, struct err *err);
};

enum multipart_state {
    MULTIPART_START,   /* before the first delimiter */
    MULTIPART_DATA,    /* of a part */
    MULTIPART_BOUND,   /* behind a delimiter */
    MULTIPART_DASH,    /* behind its first dash */
    MULTIPART_PADDING, /* blanks behind a delimiter */
    MULTIPART_BOUND_LF,
    MULTIPART_HEAD, /* of a part */
    MULTIPART_END,  /* behind the last delimiter: blanks and line ends only */
};

struct multipart {
    enum multipart_state state;
    const struct multipart_events *events; /* borrowed */
    void *context;
    char delimiter[4 + MULTIPART_BOUNDARY_BYTES + 1]; /* CR LF - - boundary */
    size_t delimiter_size, matched;                   /* of it, so far */
    unsigned parts;
    char head[MULTIPART_HEAD_BYTES];
    size_t head_size;
};

/* content_type: the request's header, with its parameter `boundary`. NULL is none. */
int multipart_init(struct multipart *multipart, const char *content_type,
                   const struct multipart_events *events, void *context, struct err *err);
int multipart_feed(struct multipart *multipart, const char *data, size_t size, struct err *err);
/* -1: the last delimiter has not come. */
int multipart_end(const struct multipart *multipart, struct err *err);

#endif
