/* Answers in the form that the client asks for with Accept-Encoding. The owner of zlib. */
#ifndef RETORT_GZIP_H
#define RETORT_GZIP_H

#include <stdbool.h>

#include "api/buffer.h"
#include "api/http.h"

/*
 * Bodies of fewer bytes gain nothing. Those of more would hold up the event loop, which answers
 * nobody else meanwhile: level 1 takes about 15 ms for this size.
 */
#define GZIP_LEAST_BYTES 8192
#define GZIP_MOST_BYTES  2097152

/* Whether the size is one that is packed for those who take it: such answers vary. */
bool gzip_is_worth(size_t body_bytes);
/* Accept-Encoding of the request names gzip, or *, with a weight above 0. */
bool gzip_is_accepted(const struct http_request *request);
/* Replaces what body holds. False: no memory, or it would not be shorter; body is as it was. */
bool gzip_pack(struct buffer *body);
/* Appends what the packed bytes stand for, at most most_bytes; false: they are not right. */
bool gzip_unpack(const void *packed, size_t packed_bytes, struct buffer *out, size_t most_bytes);

#endif
