#include "api/run_object.h"

#include <string.h>

#include "api/json_writer.h"
#include "api/result_json.h"
#include "common/artifact.h"

#define ID_DIGITS "0123456789abcdef"

bool
run_id_is_good(const char *id)
{
    size_t prefix = strlen(RUN_ID_PREFIX);

    return strncmp(id, RUN_ID_PREFIX, prefix) == 0 && strlen(id) == RUN_ID_SIZE - 1 &&
           strspn(id + prefix, ID_DIGITS) == JOB_ID_SIZE - 1;
}

static const char *
status_of(const struct result *result)
{
    switch (result->verdict) {
    case VERDICT_EXITED:
        return result->exit_code == 0 ? "succeeded" : "failed";
    case VERDICT_CRASHED:
        return "failed";
    case VERDICT_TIMED_OUT:
    case VERDICT_CPU_LIMIT:
    case VERDICT_MEMORY_LIMIT:
    case VERDICT_CANCELLED:
        return verdict_name(result->verdict);
    case VERDICT_NONE:
    case VERDICT_COUNT:
        break;
    }
    return "error";
}

static void
put_truncation(struct buffer *out, const struct result *result)
{
    json_put_member(out, "truncation");
    buffer_putc(out, '{');
    json_put_uint(out, "stdout_dropped_bytes", result->out.dropped_bytes);
    json_put_uint(out, "stderr_dropped_bytes", result->err.dropped_bytes);
    buffer_putc(out, '}');
}

static void
put_usage(struct buffer *out, const struct result *result)
{
    json_put_member(out, "usage");
    buffer_putc(out, '{');
    json_put_ms(out, "queue_ms", result->queue_us);
    json_put_ms(out, "exec_ms", result->exec_us);
    json_put_ms(out, "cpu_ms", result->cpu_us);
    json_put_uint(out, "peak_memory_bytes", result->memory_peak_bytes);
    json_put_uint(out, "output_bytes",
                  result->out.kept.size + result->out.dropped_bytes + result->err.kept.size +
                      result->err.dropped_bytes);
    buffer_putc(out, '}');
}

static void
put_error(struct buffer *out, const struct result *result)
{
    bool ours = result->verdict == VERDICT_NONE;
    const char *code = ours ? err_code_name(result->error) : verdict_name(result->verdict);
    const char *sentence = ours                                   ? err_code_text(result->error)
                           : result->verdict == VERDICT_CANCELLED ? "The run was cancelled."
                                                                  : verdict_text(result->verdict);

    json_put_member(out, "error");
    if (result->verdict == VERDICT_EXITED) {
        buffer_puts(out, "null");
        return;
    }
    buffer_putc(out, '{');
    json_put_text(out, "code", code);
    json_put_text(out, "message", result->detail[0] ? result->detail : sentence);
    json_put_text(out, "type", ours ? "server_error" : "run_error");
    json_put_text(out, "param", NULL);
    buffer_putc(out, '}');
}

/* Seconds since the epoch, as clients of OpenAI's API expect. */
static void
put_times(struct buffer *out, const struct run_facts *facts, int64_t started_ms,
          int64_t finished_ms)
{
    const struct {
        const char *name;
        int64_t ms;
    } times[] = {{"created_at", facts->created_ms},
                 {"started_at", started_ms},
                 {"finished_at", finished_ms}};

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (times[i].ms > 0)
            json_put_uint(out, times[i].name, (uint64_t)times[i].ms / 1000);
        else
            json_put_text(out, times[i].name, NULL);
    }
}

static void
put_head(struct buffer *out, const struct run_facts *facts, const char *status)
{
    buffer_putc(out, '{');
    json_put_text(out, "id", facts->id);
    json_put_text(out, "object", "run");
    json_put_text(out, "status", status);
    json_put_text(out, "language", facts->language);
}

static void
put_metadata(struct buffer *out, const struct run_facts *facts)
{
    json_put_member(out, "metadata");
    if (facts->metadata_size > 0)
        buffer_append(out, facts->metadata, facts->metadata_size);
    else
        buffer_puts(out, "{}");
}

void
run_object_end(struct run_text *text, const struct run_facts *facts, const struct result *result)
{
    struct buffer *out = &text->before;
    size_t size = result->out.kept.size + result->err.kept.size;
    bool ran = result->exec_us > 0;
    int64_t started_ms = facts->created_ms + (int64_t)(result->queue_us / 1000);

    buffer_reserve(out, size + size / 8 + 512);
    put_head(out, facts, status_of(result));
    json_put_bytes(out, "stdout", result->out.kept.data, result->out.kept.size);
    json_put_bytes(out, "stderr", result->err.kept.data, result->err.kept.size);
    result_put_exit_code(out, "exit_code", result);
    put_truncation(out, result);
    json_put_member(out, "artifacts");
    buffer_putc(out, '[');
    out = &text->after;
    buffer_putc(out, ']');
    if (result->artifacts.refused_total > 0)
        result_put_refused(out, &result->artifacts);
    put_usage(out, result);
    put_error(out, result);
    put_metadata(out, facts);
    put_times(out, facts, ran ? started_ms : 0, started_ms + (int64_t)(result->exec_us / 1000));
    buffer_putc(out, '}');
}

void
run_text_fini(struct run_text *text)
{
    buffer_fini(&text->before);
    buffer_fini(&text->artifacts);
    buffer_fini(&text->after);
}

void
run_object_put_open(struct buffer *out, const struct run_facts *facts, uint64_t started_us)
{
    put_head(out, facts, started_us > 0 ? "running" : "queued");
    buffer_puts(out, ",\"stdout\":\"\",\"stderr\":\"\",\"exit_code\":null,"
                     "\"truncation\":{\"stdout_dropped_bytes\":0,\"stderr_dropped_bytes\":0},"
                     "\"artifacts\":[],\"usage\":null,\"error\":null");
    put_metadata(out, facts);
    put_times(out, facts, (int64_t)(started_us / 1000), 0);
    buffer_putc(out, '}');
}
