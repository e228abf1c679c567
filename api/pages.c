#include "api/pages.h"

#include <stddef.h>
#include <string.h>

#include "api/exchange.h"
#include "api/gzip.h"

/*
 * Nothing but what this machine serves: no script or style within a page, no request to others, no
 * frame around it. The hashes are those of two style elements of Redoc: an empty one, which it
 * fills by script, and that of its scroll bars, the same as long as Redoc is. Images within style
 * sheets are data: addresses.
 */
#define POLICY                                                                                     \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; "                             \
    "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "                      \
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='; "                                      \
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "              \
    "frame-ancestors 'none'\r\n"                                                                   \
    "Referrer-Policy: no-referrer\r\nCross-Origin-Opener-Policy: same-origin\r\n"

/* The packed bytes of a file, from symbol to symbol_end. */
#define EMBED(symbol, file)                                                                        \
    __asm__(".pushsection .rodata\n" #symbol ":\n"                                                 \
            ".incbin \"build/gen/pages/" file ".gz\"\n" #symbol "_end:\n"                          \
            ".popsection\n");                                                                      \
    extern const char symbol[] __attribute__((visibility("hidden")));                              \
    extern const char symbol##_end[] __attribute__((visibility("hidden")));

#define PAGE(path, symbol, file, content_type) EMBED(page_##symbol, file)
#include "api/pages.def"
#undef PAGE

struct page {
    const char *path;
    const char *content_type;
    const char *packed, *end;
};

static const struct page pages[] = {
#define PAGE(path, symbol, file, content_type)                                                     \
    {path, content_type, page_##symbol, page_##symbol##_end},
#include "api/pages.def"
#undef PAGE
};

static const struct page *
find(const char *path)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (strcmp(pages[i].path, path) == 0)
            return &pages[i];
    }
    return NULL;
}

/* The last four bytes of what gzip makes (RFC 1952, 2.3.1). */
static size_t
unpacked_bytes(const struct page *page)
{
    const unsigned char *last = (const unsigned char *)page->end - 4;
    return (size_t)last[0] | (size_t)last[1] << 8 | (size_t)last[2] << 16 | (size_t)last[3] << 24;
}

void
pages_handle(struct exchange *exchange)
{
    const struct page *page = find(exchange->request->path);
    if (!page) {
        exchange_fail(exchange, HTTP_NOT_FOUND, "There is no such page.");
        return;
    }
    size_t packed_bytes = (size_t)(page->end - page->packed);
    exchange->content_type = page->content_type;
    exchange->encoded = true;
    buffer_puts(&exchange->headers, POLICY "Vary: Accept-Encoding\r\n");
    if (gzip_is_accepted(exchange->request)) {
        buffer_puts(&exchange->headers, "Content-Encoding: gzip\r\n");
        buffer_append(&exchange->body, page->packed, packed_bytes);
    } else if (!gzip_unpack(page->packed, packed_bytes, &exchange->body, unpacked_bytes(page))) {
        exchange->body.failed = true;
    }
    exchange_answer(exchange, HTTP_OK);
}
