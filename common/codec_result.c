/* Results: see codec_job.c for how. */
#include "common/codec.h"

#include <string.h>

#include "common/codec_fields.h"
#include "common/file_name.h"

#define RESULT_FIELDS 17 /* that are always there */

/* ---- packing ---- */

static void
pack_run(msgpack_packer *packer, const struct result *result)
{
    codec_pack_int_field(packer, "exit_code", result->exit_code);
    codec_pack_int_field(packer, "term_signal", result->term_signal);
    codec_pack_bin_field(packer, "out", &result->out.kept);
    codec_pack_uint_field(packer, "out_dropped", result->out.dropped_bytes);
    codec_pack_bin_field(packer, "err", &result->err.kept);
    codec_pack_uint_field(packer, "err_dropped", result->err.dropped_bytes);
    codec_pack_uint_field(packer, "queue_us", result->queue_us);
    codec_pack_uint_field(packer, "exec_us", result->exec_us);
    codec_pack_uint_field(packer, "cpu_us", result->cpu_us);
    codec_pack_uint_field(packer, "memory_peak_bytes", result->memory_peak_bytes);
    codec_pack_uint_field(packer, "minor_faults", result->minor_faults);
}

static size_t
artifacts_payload(const struct artifacts *artifacts)
{
    size_t total = 0;

    for (size_t i = 0; i < artifacts->count; i++)
        total += artifacts->list[i].name.size + artifacts->list[i].data.size;
    for (size_t i = 0; i < artifacts->refused_count; i++)
        total += artifacts->refused[i].name.size;
    return total;
}

static void
pack_artifacts(msgpack_packer *packer, const struct artifacts *artifacts)
{
    if (artifacts->count > 0) {
        codec_pack_str(packer, "artifacts");
        msgpack_pack_array(packer, artifacts->count);
    }
    for (size_t i = 0; i < artifacts->count; i++) {
        msgpack_pack_array(packer, 2);
        codec_pack_text(packer, &artifacts->list[i].name);
        codec_pack_bin(packer, &artifacts->list[i].data);
    }
    if (artifacts->refused_total == 0)
        return;
    codec_pack_str(packer, "artifacts_refused");
    msgpack_pack_array(packer, artifacts->refused_count);
    for (size_t i = 0; i < artifacts->refused_count; i++) {
        msgpack_pack_array(packer, 3);
        codec_pack_text(packer, &artifacts->refused[i].name);
        msgpack_pack_uint64(packer, artifacts->refused[i].size);
        codec_pack_str(packer, artifact_fault_name(artifacts->refused[i].fault));
    }
    codec_pack_uint_field(packer, "artifacts_refused_count", artifacts->refused_total);
}

/* Fields that are there only when they say something. */
static unsigned
optional_fields(const struct result *result)
{
    const struct artifacts *artifacts = &result->artifacts;

    return (result->linear_memory_peak_bytes > 0 ? 1u : 0u) + (artifacts->count > 0 ? 1u : 0u) +
           (artifacts->refused_total > 0 ? 2u : 0u);
}

int
codec_pack_result(const struct result *result, struct bytes *out, struct err *err)
{
    struct codec_packing packing;
    size_t payload =
        result->out.kept.size + result->err.kept.size + artifacts_payload(&result->artifacts);

    if (codec_packing_begin(&packing, payload, err) < 0)
        return -1;
    msgpack_pack_map(&packing.packer, RESULT_FIELDS + optional_fields(result));
    codec_pack_uint_field(&packing.packer, "v", CODEC_VERSION);
    codec_pack_str_field(&packing.packer, "id", result->id);
    codec_pack_str_field(&packing.packer, "error", err_code_name(result->error));
    codec_pack_str_field(&packing.packer, "verdict", verdict_name(result->verdict));
    codec_pack_str_field(&packing.packer, "detail", result->detail);
    codec_pack_str_field(&packing.packer, "worker", result->worker);
    pack_run(&packing.packer, result);
    if (result->linear_memory_peak_bytes > 0)
        codec_pack_uint_field(&packing.packer, "linear_memory_peak_bytes",
                              result->linear_memory_peak_bytes);
    pack_artifacts(&packing.packer, &result->artifacts);
    return codec_packing_end(&packing, out, err);
}

/* ---- unpacking ---- */

static bool
is_array_of(const msgpack_object *object, uint32_t entries)
{
    return object->type == MSGPACK_OBJECT_ARRAY && object->via.array.size >= entries;
}

static int
unpack_artifact(const msgpack_object *item, struct artifacts *artifacts, struct err *err)
{
    if (!is_array_of(item, 2) || item->via.array.ptr[0].type != MSGPACK_OBJECT_STR ||
        item->via.array.ptr[1].type != MSGPACK_OBJECT_BIN)
        return codec_bad_field(err, "artifacts", "has one that is not a name and bytes");
    const msgpack_object_str *name = &item->via.array.ptr[0].via.str;
    const msgpack_object_bin *data = &item->via.array.ptr[1].via.bin;
    if (file_name_fault(name->ptr, name->size, FILE_NAME_BYTES))
        return codec_bad_field(err, "artifacts", "has a name that is not well-formed");
    if (artifacts_add(artifacts, name->ptr, name->size, data->ptr, data->size) < 0)
        return err_set(err, ERR_SYSTEM, 0, "no memory for an artifact");
    return 0;
}

static int
unpack_refused(const msgpack_object *item, struct artifacts *artifacts, struct err *err)
{
    char fault[32];
    if (!is_array_of(item, 3) || item->via.array.ptr[0].type != MSGPACK_OBJECT_STR ||
        item->via.array.ptr[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return codec_bad_field(err, "artifacts_refused",
                               "has one that is not name, size and reason");
    const msgpack_object_str *name = &item->via.array.ptr[0].via.str;
    if (codec_get_object_text(&item->via.array.ptr[2], "artifacts_refused", fault, sizeof(fault),
                              err) < 0)
        return -1;
    if (artifacts_refuse(artifacts, name->ptr, name->size, item->via.array.ptr[1].via.u64,
                         artifact_fault_from_name(fault)) < 0)
        return err_set(err, ERR_SYSTEM, 0, "no memory for a refused artifact");
    return 0;
}

typedef int unpack_item_fn(const msgpack_object *item, struct artifacts *artifacts,
                           struct err *err);

static int
unpack_list(const msgpack_object *map, const char *name, unpack_item_fn *unpack,
            struct artifacts *artifacts, struct err *err)
{
    const msgpack_object *list = codec_find_field(map, name);
    if (!list)
        return 0;
    if (list->type != MSGPACK_OBJECT_ARRAY)
        return codec_bad_field(err, name, "is not a list");
    for (uint32_t i = 0; i < list->via.array.size; i++)
        if (unpack(&list->via.array.ptr[i], artifacts, err) < 0)
            return -1;
    return 0;
}

static int
unpack_artifacts(const msgpack_object *map, struct artifacts *artifacts, struct err *err)
{
    if (unpack_list(map, "artifacts", unpack_artifact, artifacts, err) < 0 ||
        unpack_list(map, "artifacts_refused", unpack_refused, artifacts, err) < 0)
        return -1;
    if (!codec_find_field(map, "artifacts_refused_count"))
        return 0;
    return codec_get_uint(map, "artifacts_refused_count", UINT64_MAX, &artifacts->refused_total,
                          err);
}

static int
unpack_run(const msgpack_object *map, struct result *result, struct err *err)
{
    if (codec_get_i32(map, "exit_code", &result->exit_code, err) < 0 ||
        codec_get_i32(map, "term_signal", &result->term_signal, err) < 0 ||
        codec_get_bytes(map, "out", &result->out.kept, err) < 0 ||
        codec_get_bytes(map, "err", &result->err.kept, err) < 0)
        return -1;
    const struct {
        const char *name;
        uint64_t *value;
    } numbers[] = {
        {"out_dropped", &result->out.dropped_bytes},
        {"err_dropped", &result->err.dropped_bytes},
        {"queue_us", &result->queue_us},
        {"exec_us", &result->exec_us},
        {"cpu_us", &result->cpu_us},
        {"memory_peak_bytes", &result->memory_peak_bytes},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (codec_get_uint(map, numbers[i].name, UINT64_MAX, numbers[i].value, err) < 0)
            return -1;
    if (unpack_artifacts(map, &result->artifacts, err) < 0)
        return -1;
    if (codec_find_field(map, "linear_memory_peak_bytes") &&
        codec_get_uint(map, "linear_memory_peak_bytes", UINT64_MAX,
                       &result->linear_memory_peak_bytes, err) < 0)
        return -1;
    return codec_get_u32(map, "minor_faults", 0, &result->minor_faults, err);
}

/* Exactly one of error and verdict says something. */
static int
unpack_outcome(const msgpack_object *map, struct result *result, struct err *err)
{
    char error[32], verdict[32];
    if (codec_get_text(map, "error", error, sizeof(error), err) < 0 ||
        codec_get_text(map, "verdict", verdict, sizeof(verdict), err) < 0)
        return -1;
    result->error = err_code_from_name(error);
    result->verdict = verdict_from_name(verdict);
    if (result->error == ERR_NONE && strcmp(error, err_code_name(ERR_NONE)) != 0)
        return codec_bad_field(err, "error", "is not a name that is known");
    if (result->verdict == VERDICT_NONE && strcmp(verdict, verdict_name(VERDICT_NONE)) != 0)
        return codec_bad_field(err, "verdict", "is not a name that is known");
    if ((result->error == ERR_NONE) == (result->verdict == VERDICT_NONE))
        return codec_bad_message(err, "it needs either an error or a verdict");
    return 0;
}

static int
unpack_result_fields(const msgpack_object *map, struct result *result, struct err *err)
{
    if (map->type != MSGPACK_OBJECT_MAP)
        return codec_bad_message(err, "it is not a map");
    const msgpack_object *version = codec_find_field(map, "v");
    if (!version)
        return codec_bad_field(err, "v", "is missing");
    if (codec_check_version(version, CODEC_VERSION, err) < 0 ||
        unpack_outcome(map, result, err) < 0 ||
        codec_get_text(map, "id", result->id, sizeof(result->id), err) < 0 ||
        codec_get_text(map, "detail", result->detail, sizeof(result->detail), err) < 0 ||
        codec_get_text(map, "worker", result->worker, sizeof(result->worker), err) < 0)
        return -1;
    /* Errors that a script published know nothing of a run. */
    if (result->error != ERR_NONE && !codec_find_field(map, "exit_code"))
        return 0;
    return unpack_run(map, result, err);
}

int
codec_unpack_result(const void *data, size_t size, struct result *result, struct err *err)
{
    msgpack_unpacked unpacked;
    memset(result, 0, sizeof(*result));
    if (codec_parse(data, size, &unpacked, err) < 0)
        return -1;
    int rc = unpack_result_fields(&unpacked.data, result, err);
    msgpack_unpacked_destroy(&unpacked);
    if (rc < 0)
        result_fini(result);
    return rc;
}
