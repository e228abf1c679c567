#include "api/run_artifacts.h"

#include "api/app.h"
#include "api/json.h"
#include "api/json_writer.h"
#include "common/base64.h"
#include "common/digest.h"

static void
keep_one(const struct artifact *artifact, struct buffer *kept)
{
    char sha256[DIGEST_HEX_SIZE];
    struct digest digest;

    digest_begin(&digest);
    digest_add(&digest, artifact->data.data, artifact->data.size);
    digest_end(&digest, sha256);
    buffer_puts(kept, kept->size > 0 ? ",{" : "{");
    json_put_text(kept, "id", NULL);
    json_put_bytes(kept, "name", artifact->name.data, artifact->name.size);
    json_put_uint(kept, "size", artifact->data.size);
    json_put_text(kept, "content_type", "application/octet-stream");
    json_put_text(kept, "sha256", sha256);
    buffer_putc(kept, '}');
}

void
run_artifacts_keep(struct app *app, const char *owner, const char *run_id,
                   const struct artifacts *artifacts, struct buffer *kept)
{
    (void)app;
    (void)owner;
    (void)run_id;
    for (size_t i = 0; i < artifacts->count; i++)
        keep_one(&artifacts->list[i], kept);
}

static void
put_contents(const struct bytes *contents, struct buffer *out)
{
    size_t size = base64_encoded_size(contents->size);

    json_put_member(out, "content_base64");
    buffer_putc(out, '"');
    if (buffer_reserve(out, size)) {
        base64_encode(contents->data, contents->size, out->data + out->size);
        out->size += size;
    }
    buffer_putc(out, '"');
}

static void
put_one(const struct json_value *artifact, const struct artifact *contents, struct buffer *out)
{
    const struct json_value *member;
    const char *name = NULL;

    buffer_putc(out, '{');
    while ((member = json_next_member(artifact, &name))) {
        if (json_kind_of(member) == JSON_KIND_NUMBER) {
            json_put_uint(out, name, (uint64_t)json_number(member));
            continue;
        }
        json_put_member(out, name);
        json_put_value(out, member);
    }
    json_put_text(out, "url", NULL);
    json_put_text(out, "expires_at", NULL);
    if (contents)
        put_contents(&contents->data, out);
    buffer_putc(out, '}');
}

void
run_artifacts_put(const struct app *app, const char *kept, size_t kept_size,
                  const struct artifacts *contents, struct buffer *out)
{
    struct json_fault fault;
    struct buffer text = BUFFER_INIT;

    (void)app;
    if (kept_size == 0)
        return;
    buffer_putc(&text, '[');
    buffer_append(&text, kept, kept_size);
    buffer_putc(&text, ']');
    struct json_value *list = text.failed ? NULL : json_parse(text.data, text.size, &fault);
    out->failed |= list == NULL;
    for (size_t i = 0; list && i < json_length(list); i++) {
        if (i > 0)
            buffer_putc(out, ',');
        put_one(json_item(list, i), contents && i < contents->count ? &contents->list[i] : NULL,
                out);
    }
    if (list)
        json_free(list);
    buffer_fini(&text);
}
