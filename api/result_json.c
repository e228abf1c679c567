#include "api/result_json.h"

#include <inttypes.h>

#include "api/json_writer.h"

void
result_put_exit_code(struct buffer *out, const char *name, const struct result *result)
{
    bool exited = result->verdict == VERDICT_EXITED || result->verdict == VERDICT_MEMORY_LIMIT;

    json_put_member(out, name);
    if (exited && result->exit_code >= 0)
        buffer_printf(out, "%" PRId32, result->exit_code);
    else
        buffer_puts(out, "null");
}

void
result_put_refused(struct buffer *out, const struct artifacts *artifacts)
{
    json_put_member(out, "artifacts_refused");
    buffer_putc(out, '[');
    for (size_t i = 0; i < artifacts->refused_count; i++) {
        const struct artifact_refused *refused = &artifacts->refused[i];
        buffer_puts(out, i > 0 ? ",{" : "{");
        json_put_bytes(out, "name", refused->name.data, refused->name.size);
        json_put_uint(out, "size", refused->size);
        json_put_text(out, "reason", artifact_fault_name(refused->fault));
        buffer_putc(out, '}');
    }
    buffer_putc(out, ']');
}
