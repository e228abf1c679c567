/*
 * Packing writes maps with the field names of docs/PROTOCOL.md. Unpacking goes in three steps:
 * msgpack_shape_check() walks the bytes and refuses every length that the message cannot hold,
 * every nesting and every count beyond what messages of ours have, before msgpack-c allocates
 * anything; msgpack-c parses; then each wanted field is looked up by name, checked and copied.
 */
#include "common/codec.h"

#include <stdlib.h>
#include <string.h>

#include "common/codec_fields.h"

#define ELEMENT_FIELDS    5
#define BLOB_FIELDS       3
#define BLOB_FIELDS_FILES 4
#define BLOB_FIELDS_TEXTS 6

/* ---- packing ---- */

static void
pack_limits(msgpack_packer *packer, const struct job_limits *limits)
{
#define JOB_LIMIT(field, since, least, most, meaning)                                              \
    codec_pack_uint_field(packer, #field, limits->field);
#include "common/job_limits.def"
#undef JOB_LIMIT
}

enum {
#define JOB_LIMIT(field, since, least, most, meaning) LIMIT_##field,
#include "common/job_limits.def"
#undef JOB_LIMIT
    LIMIT_COUNT
};

int
codec_pack_job(const struct job *job, bool with_input, struct bytes *out, struct err *err)
{
    struct codec_packing packing;
    size_t payload = strlen(job->language) + strlen(job->request_id) +
                     (with_input ? job->code.size + job->input.size : 0);
    unsigned optional =
        (job->events ? 1u : 0) + (job->request_id[0] ? 1u : 0) + (with_input ? 2u : 0);

    if (codec_packing_begin(&packing, payload, err) < 0)
        return -1;
    msgpack_pack_map(&packing.packer, 1 + LIMIT_COUNT + optional);
    codec_pack_str_field(&packing.packer, "language", job->language);
    pack_limits(&packing.packer, &job->limits);
    if (job->events)
        codec_pack_uint_field(&packing.packer, "events", 1);
    if (job->request_id[0])
        codec_pack_str_field(&packing.packer, "request_id", job->request_id);
    if (with_input) {
        codec_pack_bin_field(&packing.packer, "code", &job->code);
        codec_pack_bin_field(&packing.packer, "input", &job->input);
    }
    return codec_packing_end(&packing, out, err);
}

static size_t
files_payload(const struct job_files *files)
{
    size_t total = 0;

    for (size_t i = 0; i < files->count; i++)
        total += files->list[i].name.size + files->list[i].data.size;
    return total;
}

static void
pack_files(msgpack_packer *packer, const struct job_files *files)
{
    msgpack_pack_array(packer, files->count);
    for (size_t i = 0; i < files->count; i++) {
        msgpack_pack_array(packer, 2);
        codec_pack_text(packer, &files->list[i].name);
        codec_pack_bin(packer, &files->list[i].data);
    }
}

static void
pack_texts(msgpack_packer *packer, const struct texts *texts)
{
    msgpack_pack_array(packer, texts->count);
    for (size_t i = 0; i < texts->count; i++)
        codec_pack_bin(packer, &texts->list[i]);
}

int
codec_pack_blob(const struct job *job, struct bytes *out, struct err *err)
{
    struct codec_packing packing;
    size_t payload = job->code.size + job->input.size + files_payload(&job->files) +
                     texts_bytes(&job->args) + texts_bytes(&job->env);
    bool with_texts = job->args.count + job->env.count > 0;
    bool with_files = with_texts || job->files.count > 0;

    if (codec_packing_begin(&packing, payload, err) < 0)
        return -1;
    msgpack_pack_array(&packing.packer, with_texts   ? BLOB_FIELDS_TEXTS
                                        : with_files ? BLOB_FIELDS_FILES
                                                     : BLOB_FIELDS);
    msgpack_pack_int(&packing.packer, with_texts   ? CODEC_BLOB_VERSION_TEXTS
                                      : with_files ? CODEC_BLOB_VERSION_FILES
                                                   : CODEC_VERSION);
    codec_pack_bin(&packing.packer, &job->code);
    codec_pack_bin(&packing.packer, &job->input);
    if (with_files)
        pack_files(&packing.packer, &job->files);
    if (with_texts) {
        pack_texts(&packing.packer, &job->args);
        pack_texts(&packing.packer, &job->env);
    }
    return codec_packing_end(&packing, out, err);
}

/* ---- unpacking ---- */

static int
unpack_file(const msgpack_object *file, struct job_files *files, struct err *err)
{
    if (file->type != MSGPACK_OBJECT_ARRAY || file->via.array.size < 2 ||
        file->via.array.ptr[0].type != MSGPACK_OBJECT_STR ||
        file->via.array.ptr[1].type != MSGPACK_OBJECT_BIN)
        return codec_bad_message(err, "a file of it is not a name and bytes");
    const msgpack_object_str *name = &file->via.array.ptr[0].via.str;
    const msgpack_object_bin *data = &file->via.array.ptr[1].via.bin;
    const char *fault = job_files_name_fault(files, name->ptr, name->size);
    if (fault)
        return err_set(err, ERR_PROTOCOL, 0, "message refused: the name of a file %s", fault);
    if (job_files_add(files, name->ptr, name->size, data->ptr, data->size) < 0)
        return err_set(err, ERR_SYSTEM, 0, "no memory for a file");
    return 0;
}

static int
unpack_files(const msgpack_object *list, struct job_files *files, struct err *err)
{
    if (list->type != MSGPACK_OBJECT_ARRAY || list->via.array.size > JOB_FILES_MOST)
        return codec_bad_message(err, "its files are not a list");
    for (uint32_t i = 0; i < list->via.array.size; i++)
        if (unpack_file(&list->via.array.ptr[i], files, err) < 0)
            return -1;
    return 0;
}

static int
unpack_texts(const msgpack_object *list, const char *name, struct texts *texts, struct err *err)
{
    size_t bytes = 0;

    if (list->type != MSGPACK_OBJECT_ARRAY || list->via.array.size > JOB_TEXTS_MOST)
        return codec_bad_field(err, name, "is not a list");
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        const msgpack_object *text = &list->via.array.ptr[i];
        if (text->type != MSGPACK_OBJECT_BIN)
            return codec_bad_field(err, name, "has an entry that is not bytes");
        bytes += text->via.bin.size;
        if (bytes > JOB_TEXTS_MOST_BYTES ||
            (text->via.bin.size > 0 && memchr(text->via.bin.ptr, 0, text->via.bin.size)))
            return codec_bad_field(err, name, "is too long, or has a NUL");
        if (texts_add(texts, text->via.bin.ptr, text->via.bin.size) < 0)
            return err_set(err, ERR_SYSTEM, 0, "no memory for a job");
    }
    return 0;
}

/* Into an empty job. */
static int
unpack_blob_fields(const msgpack_object *blob, struct job *job, struct err *err)
{
    if (codec_check_array(blob, CODEC_BLOB_VERSION_TEXTS, BLOB_FIELDS, err) < 0)
        return -1;
    const msgpack_object *fields = blob->via.array.ptr;
    if (codec_get_object_bytes(&fields[1], "code", &job->code, err) < 0 ||
        codec_get_object_bytes(&fields[2], "input", &job->input, err) < 0)
        return -1;
    if (fields[0].via.u64 < CODEC_BLOB_VERSION_FILES)
        return 0;
    bool with_texts = fields[0].via.u64 >= CODEC_BLOB_VERSION_TEXTS;
    if (codec_check_array(blob, CODEC_BLOB_VERSION_TEXTS,
                          with_texts ? BLOB_FIELDS_TEXTS : BLOB_FIELDS_FILES, err) < 0 ||
        unpack_files(&fields[3], &job->files, err) < 0)
        return -1;
    if (!with_texts)
        return 0;
    if (unpack_texts(&fields[4], "args", &job->args, err) < 0)
        return -1;
    return unpack_texts(&fields[5], "env", &job->env, err);
}

int
codec_unpack_blob(const void *data, size_t size, struct job *job, struct err *err)
{
    struct job input = {.id = ""};
    msgpack_unpacked unpacked;
    if (codec_parse(data, size, &unpacked, err) < 0)
        return -1;
    int rc = unpack_blob_fields(&unpacked.data, &input, err);
    msgpack_unpacked_destroy(&unpacked);
    if (rc < 0) {
        job_fini(&input);
        return -1;
    }
    job_input_fini(job);
    job->code = input.code;
    job->input = input.input;
    job->files = input.files;
    job->args = input.args;
    job->env = input.env;
    return 0;
}

enum limit_since { ALWAYS, LATER };

static int
unpack_limit(const msgpack_object *map, const char *name, enum limit_since since, uint32_t *value,
             struct err *err)
{
    if (since == LATER && !codec_find_field(map, name)) {
        *value = UINT32_MAX;
        return 0;
    }
    return codec_get_u32(map, name, 1, value, err);
}

static int
unpack_limits(const msgpack_object *map, struct job_limits *limits, struct err *err)
{
#define JOB_LIMIT(field, since, least, most, meaning)                                              \
    if (unpack_limit(map, #field, since, &limits->field, err) < 0)                                 \
        return -1;
#include "common/job_limits.def"
#undef JOB_LIMIT
    return 0;
}

static int
get_deadline(const msgpack_object *object, const char *name, int64_t *value, struct err *err)
{
    if (object->type != MSGPACK_OBJECT_POSITIVE_INTEGER || object->via.u64 > INT64_MAX)
        return codec_bad_field(err, name, "is not a time");
    *value = (int64_t)object->via.u64;
    return 0;
}

static int
unpack_job_map(const msgpack_object *map, struct job *job, bool *has_input, struct err *err)
{
    if (map->type != MSGPACK_OBJECT_MAP)
        return codec_bad_message(err, "its job is not a map");
    if (codec_get_text(map, "language", job->language, sizeof(job->language), err) < 0 ||
        unpack_limits(map, &job->limits, err) < 0)
        return -1;
    if (job->language[0] == '\0')
        return codec_bad_field(err, "language", "is empty");
    job->events = codec_find_field(map, "events") != NULL;
    if (codec_find_field(map, "request_id") &&
        codec_get_text(map, "request_id", job->request_id, sizeof(job->request_id), err) < 0)
        return -1;
    *has_input = codec_find_field(map, "code") != NULL;
    if (!*has_input)
        return 0;
    if (codec_get_bytes(map, "code", &job->code, err) < 0)
        return -1;
    return codec_get_bytes(map, "input", &job->input, err);
}

static int
unpack_element_fields(const msgpack_object *element, struct job *job, bool *has_input,
                      struct err *err)
{
    if (codec_check_array(element, CODEC_VERSION, ELEMENT_FIELDS, err) < 0)
        return -1;
    const msgpack_object *fields = element->via.array.ptr;
    if (get_deadline(&fields[1], "start_by", &job->start_by_ms, err) < 0 ||
        get_deadline(&fields[2], "answer_by", &job->answer_by_ms, err) < 0 ||
        codec_get_object_text(&fields[3], "id", job->id, sizeof(job->id), err) < 0)
        return -1;
    if (job->id[0] == '\0')
        return codec_bad_field(err, "id", "is empty");
    return unpack_job_map(&fields[4], job, has_input, err);
}

int
codec_unpack_element(const void *data, size_t size, struct job *job, bool *has_input,
                     struct err *err)
{
    msgpack_unpacked unpacked;
    memset(job, 0, sizeof(*job));
    if (codec_parse(data, size, &unpacked, err) < 0)
        return -1;
    int rc = unpack_element_fields(&unpacked.data, job, has_input, err);
    msgpack_unpacked_destroy(&unpacked);
    if (rc < 0)
        job_fini(job);
    return rc;
}
