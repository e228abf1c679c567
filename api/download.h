/*
 * A content as the answer: from the disk, whole or one range of it, with the headers that keep a
 * browser from taking it for a page.
 */
#ifndef RETORT_DOWNLOAD_H
#define RETORT_DOWNLOAD_H

#include "api/exchange.h"
#include "api/storage.h"

struct download {
    const struct storage_blob *blob;
    const char *name; /* any; after the last '/' it is what the client is told to save it as */
    const char *type; /* as media_type_safe() has it */
    uint64_t created_ms;
};

/* Answers 200, 206, 304 or 416; 500 when the content cannot be read. */
void download_answer(struct exchange *exchange, struct storage *storage,
                     const struct download *download);

/* One of media_types.def, or application/octet-stream; static. By the type that somebody says... */
const char *media_type_safe(const char *type);
/* ... or by the end of a name. */
const char *media_type_of_name(const char *name);

/* ---- for tests ---- */

struct download_range {
    uint64_t first, bytes;
    bool asked; /* it is a part, even if it is all of it */
};

/*
 * The header Range against a content of so many bytes. 1: range is it; 0: there is none that can be
 * served by itself, so the whole is; -1: it lies outside.
 */
int download_parse_range(const char *header, uint64_t bytes, struct download_range *range);
/* Appends a Content-Disposition header (RFC 6266). name is valid UTF-8. */
void download_put_disposition(struct buffer *out, const char *name);

#endif
