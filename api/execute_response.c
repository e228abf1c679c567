#include "api/execute_response.h"

#include "api/json_writer.h"
#include "api/result_json.h"
#include "common/base64.h"
#include "common/file_name.h"

static void
put_base64(struct buffer *out, const char *name, const struct bytes *bytes)
{
    size_t size = base64_encoded_size(bytes->size);
    json_put_member(out, name);
    buffer_putc(out, '"');
    if (buffer_reserve(out, size)) {
        base64_encode(bytes->data, bytes->size, out->data + out->size);
        out->size += size;
    }
    buffer_putc(out, '"');
}

static void
put_artifacts(const struct artifacts *artifacts, struct buffer *out)
{
    json_put_member(out, "artifacts");
    buffer_putc(out, '[');
    for (size_t i = 0; i < artifacts->count; i++) {
        const struct artifact *artifact = &artifacts->list[i];
        buffer_puts(out, i > 0 ? ",{" : "{");
        json_put_bytes(out, "name", artifact->name.data, artifact->name.size);
        json_put_uint(out, "size", artifact->data.size);
        put_base64(out, "content_base64", &artifact->data);
        buffer_putc(out, '}');
    }
    buffer_putc(out, ']');
}

/* Beside the contents, at the most. */
static size_t
artifacts_size(const struct artifacts *artifacts)
{
    size_t size = (artifacts->count + artifacts->refused_count) * (FILE_NAME_BYTES + 128);
    for (size_t i = 0; i < artifacts->count; i++)
        size += base64_encoded_size(artifacts->list[i].data.size);
    return size;
}

void
execute_response_put(const struct result *result, const char *id, uint64_t total_us,
                     struct buffer *out)
{
    /* Text is rarely more than an eighth escapes; one growth instead of many. */
    size_t size = result->out.kept.size + result->err.kept.size;
    buffer_reserve(out, size + size / 8 + 1024 + artifacts_size(&result->artifacts));
    buffer_putc(out, '{');
    json_put_bytes(out, "stdout", result->out.kept.data, result->out.kept.size);
    json_put_bytes(out, "stderr", result->err.kept.data, result->err.kept.size);
    result_put_exit_code(out, "exit_code", result);
    json_put_bool(out, "timed_out", result->verdict == VERDICT_TIMED_OUT);
    json_put_uint(out, "duration_ms", (result->exec_us + 500) / 1000);
    json_put_text(out, "id", id);
    json_put_text(out, "verdict", verdict_name(result->verdict));
    if (result->detail[0])
        json_put_text(out, "detail", result->detail);
    json_put_bool(out, "stdout_truncated", result->out.dropped_bytes > 0);
    json_put_bool(out, "stderr_truncated", result->err.dropped_bytes > 0);
    json_put_uint(out, "stdout_dropped_bytes", result->out.dropped_bytes);
    json_put_uint(out, "stderr_dropped_bytes", result->err.dropped_bytes);
    json_put_ms(out, "cpu_ms", result->cpu_us);
    json_put_ms(out, "exec_ms", result->exec_us);
    json_put_ms(out, "queue_ms", result->queue_us);
    json_put_ms(out, "total_ms", total_us);
    json_put_uint(out, "memory_peak_bytes", result->memory_peak_bytes);
    if (result->linear_memory_peak_bytes > 0)
        json_put_uint(out, "linear_memory_peak_bytes", result->linear_memory_peak_bytes);
    put_artifacts(&result->artifacts, out);
    if (result->artifacts.refused_total > 0) {
        result_put_refused(out, &result->artifacts);
        json_put_uint(out, "artifacts_refused_count", result->artifacts.refused_total);
    }
    buffer_putc(out, '}');
}
