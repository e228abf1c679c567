#include "api/web.h"

#include <stdio.h>
#include <string.h>

#include "api/app.h"
#include "api/health.h"
#include "api/json_writer.h"
#include "common/digest.h"
#include "common/version.h"

/*
 * Nothing but what this machine serves, and of that no script or style that stands within a page:
 * whatever text of a program or a client's might be taken for HTML could not act. A page that shows
 * this one in a frame could have it clicked on.
 */
#define POLICY                                                                                     \
    "Content-Security-Policy: default-src 'self'; object-src 'none'; base-uri 'none'; "            \
    "form-action 'none'; frame-ancestors 'none'\r\n"                                               \
    "Referrer-Policy: no-referrer\r\nCross-Origin-Opener-Policy: same-origin\r\n"

#define EMBED(symbol, name)                                                                        \
    __asm__(".pushsection .rodata\n"                                                               \
            "web_" #symbol "_begin: .incbin \"api/web/" name "\"\n"                                \
            "web_" #symbol "_end: .byte 0\n"                                                       \
            ".popsection\n");                                                                      \
    extern const char web_##symbol##_begin[] __attribute__((visibility("hidden")));                \
    extern const char web_##symbol##_end[] __attribute__((visibility("hidden")));
#define WEB(symbol, name, content_type) EMBED(symbol, name)
#include "api/web.def"
#undef WEB

static struct file {
    const char *name, *content_type, *begin, *end;
    char tag[DIGEST_HEX_SIZE]; /* "": not yet computed */
} files[] = {
#define WEB(symbol, name, content_type)                                                            \
    {name, content_type, web_##symbol##_begin, web_##symbol##_end, ""},
#include "api/web.def"
#undef WEB
};

#define FILE_COUNT (sizeof(files) / sizeof(files[0]))

static void
make_tag(struct file *file)
{
    struct digest digest;

    digest_begin(&digest);
    digest_add(&digest, file->begin, (size_t)(file->end - file->begin));
    digest_end(&digest, file->tag);
}

/* If-None-Match: a list of tags; W/ before one makes no difference here. */
static bool
client_has(const struct exchange *exchange, const struct file *file)
{
    const char *tags = http_request_header(exchange->request, "if-none-match");

    return tags && (strcmp(tags, "*") == 0 || strstr(tags, file->tag) != NULL);
}

static void
answer(struct exchange *exchange, struct file *file)
{
    if (file->tag[0] == '\0')
        make_tag(file);
    exchange->content_type = file->content_type;
    exchange->cache_control = "no-cache"; /* kept, and asked about each time */
    buffer_printf(&exchange->headers, "ETag: W/\"%s\"\r\n" POLICY, file->tag);
    if (client_has(exchange, file)) {
        exchange_answer(exchange, HTTP_NOT_MODIFIED);
        return;
    }
    buffer_append(&exchange->body, file->begin, (size_t)(file->end - file->begin));
    exchange_answer(exchange, HTTP_OK);
}

void
web_page(struct exchange *exchange)
{
    answer(exchange, &files[0]);
}

void
web_file(struct exchange *exchange)
{
    for (size_t i = 1; i < FILE_COUNT; i++) {
        if (strcmp(files[i].name, exchange->path_id) == 0) {
            answer(exchange, &files[i]);
            return;
        }
    }
    exchange_fail(exchange, HTTP_NOT_FOUND, "The page at /admin has no such file.");
}

void
web_about(struct exchange *exchange)
{
    const struct app *app = exchange->app;
    struct buffer *out = &exchange->body;

    buffer_putc(out, '{');
    json_put_text(out, "version", RETORT_VERSION);
    json_put_bool(out, "key_required", app->gate.keys != NULL);
    health_put_languages(out, "languages", &app->languages);
    json_put_uint(out, "timeout_ms", app->config->max_exec_timeout_ms);
    json_put_uint(out, "memory_mb", app->config->memory_limit_mb);
    json_put_uint(out, "code_bytes", app->config->max_code_bytes);
    buffer_putc(out, '}');
    exchange_answer(exchange, HTTP_OK);
}
