#include "api/gzip.h"

#include <stdlib.h>
#include <strings.h>

#include <zlib.h>

#define LEVEL         1
#define WINDOW_BITS   (15 + 16) /* with gzip's own head and checksum */
#define MEMORY_LEVEL  8
#define WEIGHT_DIGITS 3

bool
gzip_is_worth(size_t body_bytes)
{
    return body_bytes >= GZIP_LEAST_BYTES && body_bytes <= GZIP_MOST_BYTES;
}

/* ---- Accept-Encoding (RFC 9110, 12.5.3) ---- */

static bool
is_named(const char *name, size_t size, const char *word)
{
    return size == strlen(word) && strncasecmp(name, word, size) == 0;
}

/* Behind a coding's name: ";q=0.5", or nothing. What cannot be read counts as 0. */
static bool
has_weight(const char *text, size_t size)
{
    static const char blank[] = " \t";
    size_t at = strspn(text, blank);
    if (at >= size)
        return true;
    if (text[at] != ';')
        return false;
    at++;
    at += strspn(text + at, blank);
    if (size - at < 3 || strncasecmp(text + at, "q=", 2) != 0)
        return false;
    at += 2;
    if (text[at] == '1')
        return true;
    if (text[at] != '0' || at + 2 >= size || text[at + 1] != '.')
        return false;
    for (size_t i = at + 2; i < size && i < at + 2 + WEIGHT_DIGITS; i++) {
        if (text[i] >= '1' && text[i] <= '9')
            return true;
    }
    return false;
}

/* What one header says: -1 nothing of gzip, 0 no, 1 yes. A name comes before the star. */
static int
wish(const char *value)
{
    int named = -1, any = -1;
    while (*value) {
        value += strspn(value, " \t,");
        size_t size = strcspn(value, ",");
        size_t name = strcspn(value, ";, \t");
        bool wanted = has_weight(value + name, size - name);
        if (is_named(value, name, "gzip") || is_named(value, name, "x-gzip"))
            named = wanted;
        else if (is_named(value, name, "*"))
            any = wanted;
        value += size;
    }
    return named >= 0 ? named : any;
}

bool
gzip_is_accepted(const struct http_request *request)
{
    const char *value = http_request_header(request, "accept-encoding");
    return value && wish(value) == 1;
}

/* ---- packing ---- */

bool
gzip_pack(struct buffer *body)
{
    z_stream stream = {.next_in = (unsigned char *)body->data, .avail_in = (uInt)body->size};
    struct buffer packed = BUFFER_INIT;
    bool shorter = false;
    if (body->size > GZIP_MOST_BYTES || deflateInit2(&stream, LEVEL, Z_DEFLATED, WINDOW_BITS,
                                                     MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    /* Room for one byte less than there is: what does not fit is not worth it. */
    if (buffer_reserve(&packed, body->size)) {
        stream.next_out = (unsigned char *)packed.data;
        stream.avail_out = (uInt)body->size - 1;
        shorter = deflate(&stream, Z_FINISH) == Z_STREAM_END;
    }
    packed.size = stream.total_out;
    deflateEnd(&stream);
    if (shorter) {
        buffer_fini(body);
        *body = packed;
    } else {
        buffer_fini(&packed);
    }
    return shorter;
}

bool
gzip_unpack(const void *packed, size_t packed_bytes, struct buffer *out, size_t most_bytes)
{
    z_stream stream = {.next_in = (unsigned char *)packed, .avail_in = (uInt)packed_bytes};
    int status = Z_MEM_ERROR;
    if (inflateInit2(&stream, WINDOW_BITS) != Z_OK)
        return false;
    if (buffer_reserve(out, most_bytes)) {
        stream.next_out = (unsigned char *)out->data + out->size;
        stream.avail_out = (uInt)most_bytes;
        status = inflate(&stream, Z_FINISH);
        out->size += stream.total_out;
    }
    inflateEnd(&stream);
    return status == Z_STREAM_END;
}
