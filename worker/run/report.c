#include "worker/run/report.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "common/base64.h"
#include "common/utf8.h"

int
run_exit_code(const struct result *result)
{
    switch (result->verdict) {
    case VERDICT_EXITED:
        return result->exit_code;
    case VERDICT_TIMED_OUT:
    case VERDICT_CPU_LIMIT:
        return RUN_EXIT_TIMEOUT;
    case VERDICT_MEMORY_LIMIT:
        return RUN_EXIT_MEMORY;
    case VERDICT_CRASHED:
        return RUN_EXIT_SIGNAL + result->term_signal;
    case VERDICT_CANCELLED:
    case VERDICT_NONE:
    case VERDICT_COUNT:
        break;
    }
    return RUN_EXIT_SANDBOX;
}

static void
report_dropped(const char *name, const struct result_stream *stream, FILE *out)
{
    if (stream->dropped_bytes > 0)
        fprintf(out, "retort-run: %" PRIu64 " bytes of %s beyond the first %zu were dropped\n",
                stream->dropped_bytes, name, stream->kept.size);
}

void
run_report_text(const struct result *result, FILE *out)
{
    report_dropped("standard output", &result->out, out);
    report_dropped("standard error", &result->err, out);
    if (result->verdict == VERDICT_EXITED)
        return;
    const char *text =
        result->error != ERR_NONE ? err_code_text(result->error) : verdict_text(result->verdict);
    fprintf(out, "retort-run: %s%s%s%s\n", text, result->detail[0] != '\0' ? " (" : "",
            result->detail, result->detail[0] != '\0' ? ")" : "");
}

static int
set_stream(json_t *object, const char *name, const char *dropped_name,
           const struct result_stream *stream)
{
    struct bytes text;

    if (utf8_replace(stream->kept.data, stream->kept.size, &text) < 0)
        return -1;
    int result = json_object_set_new(object, name,
                                     json_stringn(text.data != NULL ? text.data : "", text.size));
    bytes_fini(&text);
    if (result == 0)
        result = json_object_set_new(object, dropped_name,
                                     json_integer((json_int_t)stream->dropped_bytes));
    return result;
}

static json_t *
base64_json(const struct bytes *data)
{
    size_t size = base64_encoded_size(data->size);
    char *text = malloc(size + 1);

    if (text == NULL)
        return NULL;
    base64_encode(data->data, data->size, text);
    json_t *string = json_stringn(text, size);
    free(text);
    return string;
}

static json_t *
artifact_json(const struct artifact *artifact, bool contents)
{
    json_t *object = json_pack("{s:s, s:I}", "name", artifact->name.data, "size",
                               (json_int_t)artifact->data.size);

    if (object != NULL && contents &&
        json_object_set_new(object, "content_base64", base64_json(&artifact->data)) < 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* -1: out of memory. */
static int
set_artifacts(json_t *object, const struct artifacts *artifacts, bool contents)
{
    json_t *kept = json_array(), *refused = json_array();
    int result = 0;

    for (size_t i = 0; i < artifacts->count && result == 0; i++)
        result = json_array_append_new(kept, artifact_json(&artifacts->list[i], contents));
    for (size_t i = 0; i < artifacts->refused_count && result == 0; i++) {
        const struct artifact_refused *one = &artifacts->refused[i];
        result = json_array_append_new(refused, json_pack("{s:s, s:I, s:s}", "name",
                                                          one->name.size > 0 ? one->name.data : "",
                                                          "size", (json_int_t)one->size, "reason",
                                                          artifact_fault_name(one->fault)));
    }
    if (json_object_set_new(object, "artifacts", kept) < 0)
        result = -1;
    if (json_object_set_new(object, "artifacts_refused", refused) < 0)
        result = -1;
    if (json_object_set_new(object, "artifacts_refused_count",
                            json_integer((json_int_t)artifacts->refused_total)) < 0)
        result = -1;
    return result;
}

static json_t *
ms(uint64_t us)
{
    return json_real((double)us / 1000.0);
}

static json_t *
exit_code_json(const struct result *result)
{
    return result->exit_code >= 0 && result->verdict != VERDICT_NONE
               ? json_integer(result->exit_code)
               : json_null();
}

static json_t *
result_json(const struct result *result, bool contents)
{
    json_t *object = json_pack(
        "{s:s?, s:s?, s:s, s:o, s:i, s:o, s:o, s:I, s:I, s:i}", "verdict",
        result->verdict != VERDICT_NONE ? verdict_name(result->verdict) : NULL, "error",
        result->error != ERR_NONE ? err_code_name(result->error) : NULL, "detail", result->detail,
        "exit_code", exit_code_json(result), "term_signal", (int)result->term_signal, "exec_ms",
        ms(result->exec_us), "cpu_ms", ms(result->cpu_us), "memory_peak_bytes",
        (json_int_t)result->memory_peak_bytes, "linear_memory_peak_bytes",
        (json_int_t)result->linear_memory_peak_bytes, "minor_faults", (int)result->minor_faults);

    if (object != NULL && (set_stream(object, "stdout", "stdout_dropped_bytes", &result->out) < 0 ||
                           set_stream(object, "stderr", "stderr_dropped_bytes", &result->err) < 0 ||
                           set_artifacts(object, &result->artifacts, contents) < 0)) {
        json_decref(object);
        return NULL;
    }
    return object;
}

int
run_report_json(const struct result *result, bool contents, FILE *out, struct err *err)
{
    json_t *object = result_json(result, contents);

    if (object == NULL)
        return err_set(err, ERR_SYSTEM, ENOMEM, "cannot print the result");
    int written = json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(object);
    if (written < 0 || fputc('\n', out) == EOF || fflush(out) == EOF)
        return err_set(err, ERR_SYSTEM, errno, "cannot print the result");
    return 0;
}
