#include "api/download.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DATE_SIZE     32
/* A content never changes, but a file may be deleted: ask each time. */
#define CACHE_CONTROL "private, no-cache"
/* Should a browser show it as a page after all, that has no scripts, no origin and no links out. */
#define SEALED        "Content-Security-Policy: default-src 'none'; sandbox\r\n"

/* ---- types -------------------------------------------------------------------------------- */

static const struct media_type {
    const char *end, *type, *served;
} media_types[] = {
#define MEDIA_TYPE(end, type, served) {end, type, served},
#include "api/media_types.def"
#undef MEDIA_TYPE
};

#define MEDIA_TYPE_COUNT (sizeof(media_types) / sizeof(media_types[0]))
#define MEDIA_TYPE_OTHER "application/octet-stream"

const char *
media_type_safe(const char *type)
{
    size_t size = strcspn(type, "; \t");

    for (size_t i = 0; i < MEDIA_TYPE_COUNT; i++)
        if (strlen(media_types[i].type) == size &&
            strncasecmp(media_types[i].type, type, size) == 0)
            return media_types[i].served;
    return MEDIA_TYPE_OTHER;
}

const char *
media_type_of_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < MEDIA_TYPE_COUNT; i++)
        if (strcasecmp(media_types[i].end, dot + 1) == 0)
            return media_types[i].served;
    return MEDIA_TYPE_OTHER;
}

/* ---- ranges ------------------------------------------------------------------------------- */

/* Digits; a number that is too large for 64 bits is UINT64_MAX. *text moves past them. */
static bool
take_number(const char **text, uint64_t *number)
{
    const char *start = *text;

    *number = 0;
    for (; **text >= '0' && **text <= '9'; ++*text) {
        uint64_t digit = (uint64_t)(**text - '0');
        *number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *number * 10 + digit;
    }
    return *text > start;
}

int
download_parse_range(const char *header, uint64_t bytes, struct download_range *range)
{
    uint64_t first = 0, last = UINT64_MAX;

    if (!header || strncasecmp(header, "bytes=", 6) != 0)
        return 0;
    const char *at = header + 6;
    bool has_first = take_number(&at, &first);
    if (*at++ != '-')
        return 0;
    bool has_last = take_number(&at, &last);
    if (*at || (!has_first && !has_last) || (has_first && has_last && last < first))
        return 0; /* several ranges, too, which we need not serve (RFC 9110, 14.2) */
    if (!has_first) {
        first = last < bytes ? bytes - last : 0;
        if (last == 0 || bytes == 0)
            return -1;
        last = bytes - 1;
    }
    if (first >= bytes)
        return -1;
    if (!has_last || last >= bytes)
        last = bytes - 1;
    *range = (struct download_range){.first = first, .bytes = last - first + 1, .asked = true};
    return 1;
}

/* ---- names -------------------------------------------------------------------------------- */

static bool
is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("._-", c));
}

void
download_put_disposition(struct buffer *out, const char *name)
{
    const char *slash = strrchr(name, '/');
    bool plain = true;

    if (slash)
        name = slash + 1;
    buffer_puts(out, "Content-Disposition: attachment; filename=\"");
    for (const char *at = name; *at; at++) {
        bool shown = is_plain(*at) || *at == ' ';
        plain &= shown;
        /* Of a longer character only the first byte leaves a mark. */
        if (shown || ((unsigned char)*at & 0xc0) != 0x80)
            buffer_putc(out, shown ? *at : '_');
    }
    buffer_putc(out, '"');
    if (!plain) {
        buffer_puts(out, "; filename*=UTF-8''");
        for (const char *at = name; *at; at++) {
            if (is_plain(*at))
                buffer_putc(out, *at);
            else
                buffer_printf(out, "%%%02X", (unsigned)(unsigned char)*at);
        }
    }
    buffer_puts(out, "\r\n");
}

/* ---- conditions --------------------------------------------------------------------------- */

static void
put_date(char date[DATE_SIZE], uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;

    strftime(date, DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&seconds, &parts));
}

/* Is the tag, with its quotes, one of the list? Weak ones are alike here (RFC 9110, 13.1.2). */
static bool
lists_tag(const char *list, const char *tag)
{
    size_t size = strlen(tag);

    for (const char *at = list; *at;) {
        at += strspn(at, " \t,");
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        size_t length = strcspn(at, " \t,");
        if ((length == 1 && *at == '*') || (length == size && memcmp(at, tag, size) == 0))
            return true;
        at += length;
    }
    return false;
}

static bool
is_unchanged(const struct http_request *request, const char *tag, const char *date)
{
    const char *tags = http_request_header(request, "if-none-match");
    const char *since = http_request_header(request, "if-modified-since");

    if (tags)
        return lists_tag(tags, tag);
    return since && strcmp(since, date) == 0;
}

/* The Range that counts: of a GET, whose If-Range, if any, is this content. */
static const char *
wanted_range(const struct http_request *request, const char *tag, const char *date)
{
    const char *condition = http_request_header(request, "if-range");

    if (request->method != HTTP_METHOD_GET || http_request_header_count(request, "range") != 1 ||
        (condition && strcmp(condition, tag) != 0 && strcmp(condition, date) != 0))
        return NULL;
    return http_request_header(request, "range");
}

/* ---- the answer --------------------------------------------------------------------------- */

static void
answer_outside(struct exchange *exchange, uint64_t bytes)
{
    char sentence[128];

    buffer_printf(&exchange->headers, "Content-Range: bytes */%" PRIu64 "\r\n", bytes);
    snprintf(sentence, sizeof(sentence), "The file has %" PRIu64 " bytes; the range begins beyond.",
             bytes);
    exchange_fail(exchange, HTTP_RANGE_NOT_SATISFIABLE, sentence);
}

static void
answer_part(struct exchange *exchange, struct storage *storage, const struct download *download,
            const struct download_range *range)
{
    struct err err = ERR_INIT;
    struct exchange_file file = {.offset = range->first, .bytes = range->bytes};

    file.fd = storage_blob_open(storage, download->blob, &err);
    if (file.fd < 0) {
        buffer_reset(&exchange->headers, 0);
        exchange->cache_control = NULL;
        exchange_fail_err(exchange, &err);
        return;
    }
    if (range->asked)
        buffer_printf(&exchange->headers,
                      "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", range->first,
                      range->first + range->bytes - 1, download->blob->bytes);
    download_put_disposition(&exchange->headers, download->name);
    buffer_puts(&exchange->headers, SEALED);
    exchange->content_type = media_type_safe(download->type);
    exchange_answer_file(exchange, range->asked ? HTTP_PARTIAL_CONTENT : HTTP_OK, &file);
}

void
download_answer(struct exchange *exchange, struct storage *storage, const struct download *download)
{
    const struct http_request *request = exchange->request;
    struct download_range range = {.first = 0, .bytes = download->blob->bytes};
    char tag[DIGEST_HEX_SIZE + 2], date[DATE_SIZE];

    snprintf(tag, sizeof(tag), "\"%s\"", download->blob->sha256);
    put_date(date, download->created_ms);
    int ranged = download_parse_range(wanted_range(request, tag, date), range.bytes, &range);
    bool unchanged = is_unchanged(request, tag, date);
    if (ranged < 0 && !unchanged) {
        answer_outside(exchange, download->blob->bytes);
        return;
    }
    exchange->cache_control = CACHE_CONTROL;
    buffer_printf(&exchange->headers, "ETag: %s\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\n",
                  tag, date);
    if (unchanged)
        exchange_answer(exchange, HTTP_NOT_MODIFIED);
    else
        answer_part(exchange, storage, download, &range);
}
