/*
 * Packing writes maps with the field names of docs/PROTOCOL.md. Unpacking goes in three steps:
 * msgpack_shape_check() walks the bytes and refuses every length that the message cannot hold,
 * every nesting and every count beyond what messages of ours have, before msgpack-c allocates
 * anything; msgpack-c parses; then each wanted field is looked up by name, checked and copied.
 */
#include "common/codec.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <msgpack.h>

#include "common/msgpack_shape.h"
#include "common/utf8.h"

#define ELEMENT_FIELDS 5
#define BLOB_FIELDS    3

/* ---- packing ---- */

static void
pack_str(msgpack_packer *packer, const char *text)
{
    size_t size = strlen(text);
    msgpack_pack_str(packer, size);
    if (size > 0)
        msgpack_pack_str_body(packer, text, size);
}

static void
pack_bin(msgpack_packer *packer, const struct bytes *bytes)
{
    msgpack_pack_bin(packer, bytes->size);
    if (bytes->size > 0)
        msgpack_pack_bin_body(packer, bytes->data, bytes->size);
}

static void
pack_str_field(msgpack_packer *packer, const char *name, const char *value)
{
    pack_str(packer, name);
    pack_str(packer, value);
}

static void
pack_uint_field(msgpack_packer *packer, const char *name, uint64_t value)
{
    pack_str(packer, name);
    msgpack_pack_uint64(packer, value);
}

static void
pack_int_field(msgpack_packer *packer, const char *name, int64_t value)
{
    pack_str(packer, name);
    msgpack_pack_int64(packer, value);
}

static void
pack_bin_field(msgpack_packer *packer, const char *name, const struct bytes *value)
{
    pack_str(packer, name);
    pack_bin(packer, value);
}

/* A failed write of the buffer leaves it short: expected is what must be there at least. */
static int
take_buffer(msgpack_sbuffer *buffer, size_t expected, struct bytes *out, struct err *err)
{
    int rc = buffer->size >= expected ? bytes_copy(out, buffer->data, buffer->size) : -1;
    msgpack_sbuffer_destroy(buffer);
    return rc < 0 ? err_set(err, ERR_SYSTEM, 0, "no memory to pack a message") : 0;
}

/* msgpack holds lengths of up to 32 bits. */
static int
check_sizes(const struct bytes *a, const struct bytes *b, struct err *err)
{
    if (a->size <= UINT32_MAX && b->size <= UINT32_MAX)
        return 0;
    return err_set(err, ERR_TOO_LARGE, 0, "more than 4 GiB do not fit into a message");
}

int
codec_pack_job(const struct job *job, bool with_input, struct bytes *out, struct err *err)
{
    if (check_sizes(&job->code, &job->input, err) < 0)
        return -1;
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    msgpack_pack_map(&packer, with_input ? 7 : 5);
    pack_str_field(&packer, "language", job->language);
    pack_uint_field(&packer, "timeout_ms", job->limits.timeout_ms);
    pack_uint_field(&packer, "cpu_ms", job->limits.cpu_ms);
    pack_uint_field(&packer, "memory_mb", job->limits.memory_mb);
    pack_uint_field(&packer, "output_bytes", job->limits.output_bytes);
    size_t expected = strlen(job->language);
    if (with_input) {
        pack_bin_field(&packer, "code", &job->code);
        pack_bin_field(&packer, "input", &job->input);
        expected += job->code.size + job->input.size;
    }
    return take_buffer(&buffer, expected, out, err);
}

int
codec_pack_blob(const struct job *job, struct bytes *out, struct err *err)
{
    if (check_sizes(&job->code, &job->input, err) < 0)
        return -1;
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    msgpack_pack_array(&packer, BLOB_FIELDS);
    msgpack_pack_int(&packer, CODEC_VERSION);
    pack_bin(&packer, &job->code);
    pack_bin(&packer, &job->input);
    return take_buffer(&buffer, job->code.size + job->input.size, out, err);
}

static void
pack_run(msgpack_packer *packer, const struct result *result)
{
    pack_int_field(packer, "exit_code", result->exit_code);
    pack_int_field(packer, "term_signal", result->term_signal);
    pack_bin_field(packer, "out", &result->out.kept);
    pack_uint_field(packer, "out_dropped", result->out.dropped_bytes);
    pack_bin_field(packer, "err", &result->err.kept);
    pack_uint_field(packer, "err_dropped", result->err.dropped_bytes);
    pack_uint_field(packer, "queue_us", result->queue_us);
    pack_uint_field(packer, "exec_us", result->exec_us);
    pack_uint_field(packer, "cpu_us", result->cpu_us);
    pack_uint_field(packer, "memory_peak_bytes", result->memory_peak_bytes);
    pack_uint_field(packer, "minor_faults", result->minor_faults);
}

int
codec_pack_result(const struct result *result, struct bytes *out, struct err *err)
{
    if (check_sizes(&result->out.kept, &result->err.kept, err) < 0)
        return -1;
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    msgpack_pack_map(&packer, 17);
    pack_uint_field(&packer, "v", CODEC_VERSION);
    pack_str_field(&packer, "id", result->id);
    pack_str_field(&packer, "error", err_code_name(result->error));
    pack_str_field(&packer, "verdict", verdict_name(result->verdict));
    pack_str_field(&packer, "detail", result->detail);
    pack_str_field(&packer, "worker", result->worker);
    pack_run(&packer, result);
    return take_buffer(&buffer, result->out.kept.size + result->err.kept.size, out, err);
}

/* ---- parsing ---- */

static int
bad_message(struct err *err, const char *what)
{
    return err_set(err, ERR_PROTOCOL, 0, "message refused: %s", what);
}

static int
parse(const void *data, size_t size, msgpack_unpacked *unpacked, struct err *err)
{
    if (msgpack_shape_check(data, size, err) < 0)
        return -1;
    size_t offset = 0;
    msgpack_unpacked_init(unpacked);
    if (msgpack_unpack_next(unpacked, data, size, &offset) == MSGPACK_UNPACK_SUCCESS)
        return 0;
    msgpack_unpacked_destroy(unpacked);
    return bad_message(err, "it cannot be parsed");
}

/* ---- fields ---- */

static bool
text_equals(const msgpack_object *object, const char *text)
{
    return object->type == MSGPACK_OBJECT_STR && object->via.str.size == strlen(text) &&
           memcmp(object->via.str.ptr, text, object->via.str.size) == 0;
}

static const msgpack_object *
find_field(const msgpack_object *map, const char *name)
{
    for (uint32_t i = 0; i < map->via.map.size; i++)
        if (text_equals(&map->via.map.ptr[i].key, name))
            return &map->via.map.ptr[i].val;
    return NULL;
}

static int
bad_field(struct err *err, const char *name, const char *what)
{
    return err_set(err, ERR_PROTOCOL, 0, "message refused: field \"%s\" %s", name, what);
}

static int
get_uint(const msgpack_object *map, const char *name, uint64_t maximum, uint64_t *value,
         struct err *err)
{
    const msgpack_object *field = find_field(map, name);
    if (!field)
        return bad_field(err, name, "is missing");
    if (field->type != MSGPACK_OBJECT_POSITIVE_INTEGER || field->via.u64 > maximum)
        return bad_field(err, name, "is not a number in its range");
    *value = field->via.u64;
    return 0;
}

static int
get_u32(const msgpack_object *map, const char *name, uint32_t minimum, uint32_t *value,
        struct err *err)
{
    uint64_t wide = 0;
    if (get_uint(map, name, UINT32_MAX, &wide, err) < 0)
        return -1;
    if (wide < minimum)
        return bad_field(err, name, "is not a number in its range");
    *value = (uint32_t)wide;
    return 0;
}

static int
get_i32(const msgpack_object *map, const char *name, int32_t *value, struct err *err)
{
    const msgpack_object *field = find_field(map, name);
    if (!field)
        return bad_field(err, name, "is missing");
    if (field->type == MSGPACK_OBJECT_POSITIVE_INTEGER && field->via.u64 <= INT32_MAX)
        *value = (int32_t)field->via.u64;
    else if (field->type == MSGPACK_OBJECT_NEGATIVE_INTEGER && field->via.i64 >= INT32_MIN)
        *value = (int32_t)field->via.i64;
    else
        return bad_field(err, name, "is not a number in its range");
    return 0;
}

/* Text of at most size - 1 bytes, without NUL; ends where it stops being UTF-8. */
static int
get_object_text(const msgpack_object *object, const char *name, char *text, size_t size,
                struct err *err)
{
    const msgpack_object_str *str = &object->via.str;
    if (object->type != MSGPACK_OBJECT_STR || str->size >= size)
        return bad_field(err, name, "is not text of its length");
    if (str->size > 0 && memchr(str->ptr, 0, str->size))
        return bad_field(err, name, "has a NUL");
    size_t length = utf8_valid_prefix(str->ptr, str->size);
    if (length > 0)
        memcpy(text, str->ptr, length);
    text[length] = '\0';
    return 0;
}

static int
get_text(const msgpack_object *map, const char *name, char *text, size_t size, struct err *err)
{
    const msgpack_object *field = find_field(map, name);
    return field ? get_object_text(field, name, text, size, err)
                 : bad_field(err, name, "is missing");
}

static int
get_object_bytes(const msgpack_object *object, const char *name, struct bytes *bytes,
                 struct err *err)
{
    if (object->type != MSGPACK_OBJECT_BIN)
        return bad_field(err, name, "is not bytes");
    if (bytes_copy(bytes, object->via.bin.ptr, object->via.bin.size) < 0)
        return err_set(err, ERR_SYSTEM, 0, "no memory for field \"%s\"", name);
    return 0;
}

static int
get_bytes(const msgpack_object *map, const char *name, struct bytes *bytes, struct err *err)
{
    const msgpack_object *field = find_field(map, name);
    return field ? get_object_bytes(field, name, bytes, err) : bad_field(err, name, "is missing");
}

static int
check_version(const msgpack_object *version, struct err *err)
{
    if (version->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return bad_message(err, "its version is not a number");
    if (version->via.u64 != CODEC_VERSION)
        return err_set(err, ERR_PROTOCOL, 0,
                       "message refused: version %" PRIu64 " is not known, only %d",
                       version->via.u64, CODEC_VERSION);
    return 0;
}

static int
check_array(const msgpack_object *object, uint32_t fields, struct err *err)
{
    /* More entries than we know are a later addition and are ignored. */
    if (object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size < 1)
        return bad_message(err, "it is not an array that starts with a version");
    if (check_version(&object->via.array.ptr[0], err) < 0)
        return -1;
    return object->via.array.size < fields ? bad_message(err, "it has too few entries") : 0;
}

/* ---- unpacking ---- */

static int
unpack_blob_fields(const msgpack_object *blob, struct job *job, struct err *err)
{
    if (check_array(blob, BLOB_FIELDS, err) < 0)
        return -1;
    struct bytes code, input;
    if (get_object_bytes(&blob->via.array.ptr[1], "code", &code, err) < 0)
        return -1;
    if (get_object_bytes(&blob->via.array.ptr[2], "input", &input, err) < 0) {
        bytes_fini(&code);
        return -1;
    }
    bytes_fini(&job->code);
    bytes_fini(&job->input);
    job->code = code;
    job->input = input;
    return 0;
}

int
codec_unpack_blob(const void *data, size_t size, struct job *job, struct err *err)
{
    msgpack_unpacked unpacked;
    if (parse(data, size, &unpacked, err) < 0)
        return -1;
    int rc = unpack_blob_fields(&unpacked.data, job, err);
    msgpack_unpacked_destroy(&unpacked);
    return rc;
}

static int
get_deadline(const msgpack_object *object, const char *name, int64_t *value, struct err *err)
{
    if (object->type != MSGPACK_OBJECT_POSITIVE_INTEGER || object->via.u64 > INT64_MAX)
        return bad_field(err, name, "is not a time");
    *value = (int64_t)object->via.u64;
    return 0;
}

static int
unpack_job_map(const msgpack_object *map, struct job *job, bool *has_input, struct err *err)
{
    if (map->type != MSGPACK_OBJECT_MAP)
        return bad_message(err, "its job is not a map");
    if (get_text(map, "language", job->language, sizeof(job->language), err) < 0 ||
        get_u32(map, "timeout_ms", 1, &job->limits.timeout_ms, err) < 0 ||
        get_u32(map, "cpu_ms", 1, &job->limits.cpu_ms, err) < 0 ||
        get_u32(map, "memory_mb", 1, &job->limits.memory_mb, err) < 0 ||
        get_u32(map, "output_bytes", 1, &job->limits.output_bytes, err) < 0)
        return -1;
    if (job->language[0] == '\0')
        return bad_field(err, "language", "is empty");
    *has_input = find_field(map, "code") != NULL;
    if (!*has_input)
        return 0;
    return get_bytes(map, "code", &job->code, err) < 0 ? -1
                                                       : get_bytes(map, "input", &job->input, err);
}

static int
unpack_element_fields(const msgpack_object *element, struct job *job, bool *has_input,
                      struct err *err)
{
    if (check_array(element, ELEMENT_FIELDS, err) < 0)
        return -1;
    const msgpack_object *fields = element->via.array.ptr;
    if (get_deadline(&fields[1], "start_by", &job->start_by_ms, err) < 0 ||
        get_deadline(&fields[2], "answer_by", &job->answer_by_ms, err) < 0 ||
        get_object_text(&fields[3], "id", job->id, sizeof(job->id), err) < 0)
        return -1;
    if (job->id[0] == '\0')
        return bad_field(err, "id", "is empty");
    return unpack_job_map(&fields[4], job, has_input, err);
}

int
codec_unpack_element(const void *data, size_t size, struct job *job, bool *has_input,
                     struct err *err)
{
    msgpack_unpacked unpacked;
    memset(job, 0, sizeof(*job));
    if (parse(data, size, &unpacked, err) < 0)
        return -1;
    int rc = unpack_element_fields(&unpacked.data, job, has_input, err);
    msgpack_unpacked_destroy(&unpacked);
    if (rc < 0)
        job_fini(job);
    return rc;
}

static int
unpack_run(const msgpack_object *map, struct result *result, struct err *err)
{
    if (get_i32(map, "exit_code", &result->exit_code, err) < 0 ||
        get_i32(map, "term_signal", &result->term_signal, err) < 0 ||
        get_bytes(map, "out", &result->out.kept, err) < 0 ||
        get_bytes(map, "err", &result->err.kept, err) < 0)
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
        if (get_uint(map, numbers[i].name, UINT64_MAX, numbers[i].value, err) < 0)
            return -1;
    return get_u32(map, "minor_faults", 0, &result->minor_faults, err);
}

/* Exactly one of error and verdict says something. */
static int
unpack_outcome(const msgpack_object *map, struct result *result, struct err *err)
{
    char error[32], verdict[32];
    if (get_text(map, "error", error, sizeof(error), err) < 0 ||
        get_text(map, "verdict", verdict, sizeof(verdict), err) < 0)
        return -1;
    result->error = err_code_from_name(error);
    result->verdict = verdict_from_name(verdict);
    if (result->error == ERR_NONE && strcmp(error, err_code_name(ERR_NONE)) != 0)
        return bad_field(err, "error", "is not a name that is known");
    if (result->verdict == VERDICT_NONE && strcmp(verdict, verdict_name(VERDICT_NONE)) != 0)
        return bad_field(err, "verdict", "is not a name that is known");
    if ((result->error == ERR_NONE) == (result->verdict == VERDICT_NONE))
        return bad_message(err, "it needs either an error or a verdict");
    return 0;
}

static int
unpack_result_fields(const msgpack_object *map, struct result *result, struct err *err)
{
    if (map->type != MSGPACK_OBJECT_MAP)
        return bad_message(err, "it is not a map");
    const msgpack_object *version = find_field(map, "v");
    if (!version)
        return bad_field(err, "v", "is missing");
    if (check_version(version, err) < 0 || unpack_outcome(map, result, err) < 0 ||
        get_text(map, "id", result->id, sizeof(result->id), err) < 0 ||
        get_text(map, "detail", result->detail, sizeof(result->detail), err) < 0 ||
        get_text(map, "worker", result->worker, sizeof(result->worker), err) < 0)
        return -1;
    /* Errors that a script published know nothing of a run. */
    if (result->error != ERR_NONE && !find_field(map, "exit_code"))
        return 0;
    return unpack_run(map, result, err);
}

int
codec_unpack_result(const void *data, size_t size, struct result *result, struct err *err)
{
    msgpack_unpacked unpacked;
    memset(result, 0, sizeof(*result));
    if (parse(data, size, &unpacked, err) < 0)
        return -1;
    int rc = unpack_result_fields(&unpacked.data, result, err);
    msgpack_unpacked_destroy(&unpacked);
    if (rc < 0)
        result_fini(result);
    return rc;
}
