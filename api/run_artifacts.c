#include "api/run_artifacts.h"

#include <stdlib.h>

#include "api/json.h"
#include "api/json_writer.h"
#include "common/base64.h"
#include "common/digest.h"

#define UNKNOWN_TYPE "application/octet-stream"

struct run_artifact {
    struct bytes name;
    uint64_t size;
    char sha256[DIGEST_HEX_SIZE];
};

static void
hash(const struct bytes *data, char sha256[DIGEST_HEX_SIZE])
{
    struct digest digest;

    digest_begin(&digest);
    digest_add(&digest, data->data, data->size);
    digest_end(&digest, sha256);
}

/* stored NULL: it is not. */
static void
keep_one(const struct run_artifact *artifact, const struct stored_artifact *stored,
         struct buffer *kept)
{
    buffer_puts(kept, kept->size > 0 ? ",{" : "{");
    json_put_text(kept, "id", stored ? stored->id : NULL);
    json_put_bytes(kept, "name", artifact->name.data, artifact->name.size);
    json_put_uint(kept, "size", artifact->size);
    json_put_text(kept, "content_type", stored ? stored->content_type : UNKNOWN_TYPE);
    json_put_text(kept, "sha256", artifact->sha256);
    if (stored)
        json_put_uint(kept, "expires_ms", stored->expires_ms);
    buffer_putc(kept, '}');
}

void
run_artifacts_keep(const struct artifacts *artifacts, struct buffer *kept)
{
    for (size_t i = 0; i < artifacts->count; i++) {
        const struct artifact *artifact = &artifacts->list[i];
        struct run_artifact one = {.name = artifact->name, .size = artifact->data.size};
        hash(&artifact->data, one.sha256);
        keep_one(&one, NULL, kept);
    }
}

void
run_artifacts_keep_stored(const struct run_artifact *artifacts, const struct stored_artifact *list,
                          size_t count, struct buffer *kept)
{
    for (size_t i = 0; i < count; i++)
        keep_one(&artifacts[i], list[i].fault == ERR_NONE ? &list[i] : NULL, kept);
}

struct run_artifact *
run_artifacts_list(const struct artifacts *artifacts)
{
    /* The last has no name. */
    struct run_artifact *list = calloc(artifacts->count + 1, sizeof(*list));

    for (size_t i = 0; list && i < artifacts->count; i++) {
        const struct artifact *artifact = &artifacts->list[i];
        list[i].size = artifact->data.size;
        hash(&artifact->data, list[i].sha256);
        if (bytes_copy(&list[i].name, artifact->name.data, artifact->name.size) < 0) {
            run_artifacts_free(list);
            list = NULL;
        }
    }
    return list;
}

void
run_artifacts_free(struct run_artifact *list)
{
    for (struct run_artifact *at = list; at && at->name.data; at++)
        bytes_fini(&at->name);
    free(list);
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
put_link(const struct exchange *exchange, const struct json_value *id,
         const struct json_value *expires_ms, struct buffer *out)
{
    uint64_t expires = expires_ms ? (uint64_t)json_number(expires_ms) : 0;
    size_t size;

    if (!expires || json_kind_of(id) != JSON_KIND_STRING) {
        json_put_text(out, "url", NULL);
        json_put_text(out, "expires_at", NULL);
        return;
    }
    json_put_member(out, "url");
    buffer_putc(out, '"');
    artifact_put_url(out, exchange, json_text(id, &size), expires);
    buffer_putc(out, '"');
    json_put_uint(out, "expires_at", expires / 1000);
}

static void
put_one(const struct exchange *exchange, const struct json_value *artifact,
        const struct artifact *contents, struct buffer *out)
{
    static const char *const members[] = {"id", "name", "size", "content_type", "sha256"};
    const struct json_value *expires_ms = json_member(artifact, "expires_ms");

    buffer_putc(out, '{');
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const struct json_value *member = json_member(artifact, members[i]);
        if (json_kind_of(member) == JSON_KIND_NUMBER) {
            json_put_uint(out, members[i], (uint64_t)json_number(member));
            continue;
        }
        json_put_member(out, members[i]);
        json_put_value(out, member);
    }
    put_link(exchange, json_member(artifact, "id"), expires_ms, out);
    if (contents && !expires_ms)
        put_contents(&contents->data, out);
    buffer_putc(out, '}');
}

void
run_artifacts_put(const struct exchange *exchange, const char *kept, size_t kept_size,
                  const struct artifacts *contents, struct buffer *out)
{
    struct json_fault fault;
    struct buffer text = BUFFER_INIT;

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
        put_one(exchange, json_item(list, i),
                contents && i < contents->count ? &contents->list[i] : NULL, out);
    }
    if (list)
        json_free(list);
    buffer_fini(&text);
}
