#include "common/codec_fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/msgpack_shape.h"
#include "common/utf8.h"

/* For field names, numbers and the heads of some hundred entries; what is longer grows. */
#define SLACK_BYTES 1024

/* ---- packing ---- */

int
codec_packing_begin(struct codec_packing *packing, size_t payload_bytes, struct err *err)
{
    msgpack_sbuffer_init(&packing->buffer);
    msgpack_packer_init(&packing->packer, &packing->buffer, msgpack_sbuffer_write);
    packing->least_bytes = payload_bytes;
    if (payload_bytes > UINT32_MAX)
        return err_set(err, ERR_TOO_LARGE, 0, "more than 4 GiB do not fit into a message");
    packing->buffer.data = malloc(payload_bytes + SLACK_BYTES);
    if (!packing->buffer.data)
        return err_set(err, ERR_SYSTEM, 0, "no memory to pack a message");
    packing->buffer.alloc = payload_bytes + SLACK_BYTES;
    return 0;
}

/* A failed write leaves the buffer short. */
int
codec_packing_end(struct codec_packing *packing, struct bytes *out, struct err *err)
{
    size_t size = packing->buffer.size;

    if (size < packing->least_bytes || msgpack_sbuffer_write(&packing->buffer, "", 1) < 0) {
        msgpack_sbuffer_destroy(&packing->buffer);
        return err_set(err, ERR_SYSTEM, 0, "no memory to pack a message");
    }
    *out = (struct bytes){.data = msgpack_sbuffer_release(&packing->buffer), .size = size};
    return 0;
}

void
codec_pack_str(msgpack_packer *packer, const char *text)
{
    size_t size = strlen(text);
    msgpack_pack_str(packer, size);
    if (size > 0)
        msgpack_pack_str_body(packer, text, size);
}

void
codec_pack_text(msgpack_packer *packer, const struct bytes *text)
{
    msgpack_pack_str(packer, text->size);
    if (text->size > 0)
        msgpack_pack_str_body(packer, text->data, text->size);
}

void
codec_pack_bin(msgpack_packer *packer, const struct bytes *bytes)
{
    msgpack_pack_bin(packer, bytes->size);
    if (bytes->size > 0)
        msgpack_pack_bin_body(packer, bytes->data, bytes->size);
}

void
codec_pack_str_field(msgpack_packer *packer, const char *name, const char *value)
{
    codec_pack_str(packer, name);
    codec_pack_str(packer, value);
}

void
codec_pack_uint_field(msgpack_packer *packer, const char *name, uint64_t value)
{
    codec_pack_str(packer, name);
    msgpack_pack_uint64(packer, value);
}

void
codec_pack_int_field(msgpack_packer *packer, const char *name, int64_t value)
{
    codec_pack_str(packer, name);
    msgpack_pack_int64(packer, value);
}

void
codec_pack_bin_field(msgpack_packer *packer, const char *name, const struct bytes *value)
{
    codec_pack_str(packer, name);
    codec_pack_bin(packer, value);
}

/* ---- parsing ---- */

int
codec_bad_message(struct err *err, const char *what)
{
    return err_set(err, ERR_PROTOCOL, 0, "message refused: %s", what);
}

int
codec_parse(const void *data, size_t size, msgpack_unpacked *unpacked, struct err *err)
{
    if (msgpack_shape_check(data, size, err) < 0)
        return -1;
    size_t offset = 0;
    msgpack_unpacked_init(unpacked);
    if (msgpack_unpack_next(unpacked, data, size, &offset) == MSGPACK_UNPACK_SUCCESS)
        return 0;
    msgpack_unpacked_destroy(unpacked);
    return codec_bad_message(err, "it cannot be parsed");
}

/* ---- fields ---- */

static bool
text_equals(const msgpack_object *object, const char *text)
{
    return object->type == MSGPACK_OBJECT_STR && object->via.str.size == strlen(text) &&
           memcmp(object->via.str.ptr, text, object->via.str.size) == 0;
}

const msgpack_object *
codec_find_field(const msgpack_object *map, const char *name)
{
    for (uint32_t i = 0; i < map->via.map.size; i++)
        if (text_equals(&map->via.map.ptr[i].key, name))
            return &map->via.map.ptr[i].val;
    return NULL;
}

int
codec_bad_field(struct err *err, const char *name, const char *what)
{
    return err_set(err, ERR_PROTOCOL, 0, "message refused: field \"%s\" %s", name, what);
}

int
codec_get_uint(const msgpack_object *map, const char *name, uint64_t maximum, uint64_t *value,
               struct err *err)
{
    const msgpack_object *field = codec_find_field(map, name);
    if (!field)
        return codec_bad_field(err, name, "is missing");
    if (field->type != MSGPACK_OBJECT_POSITIVE_INTEGER || field->via.u64 > maximum)
        return codec_bad_field(err, name, "is not a number in its range");
    *value = field->via.u64;
    return 0;
}

int
codec_get_u32(const msgpack_object *map, const char *name, uint32_t minimum, uint32_t *value,
              struct err *err)
{
    uint64_t wide = 0;
    if (codec_get_uint(map, name, UINT32_MAX, &wide, err) < 0)
        return -1;
    if (wide < minimum)
        return codec_bad_field(err, name, "is not a number in its range");
    *value = (uint32_t)wide;
    return 0;
}

int
codec_get_i32(const msgpack_object *map, const char *name, int32_t *value, struct err *err)
{
    const msgpack_object *field = codec_find_field(map, name);
    if (!field)
        return codec_bad_field(err, name, "is missing");
    if (field->type == MSGPACK_OBJECT_POSITIVE_INTEGER && field->via.u64 <= INT32_MAX)
        *value = (int32_t)field->via.u64;
    else if (field->type == MSGPACK_OBJECT_NEGATIVE_INTEGER && field->via.i64 >= INT32_MIN)
        *value = (int32_t)field->via.i64;
    else
        return codec_bad_field(err, name, "is not a number in its range");
    return 0;
}

int
codec_get_object_text(const msgpack_object *object, const char *name, char *text, size_t size,
                      struct err *err)
{
    const msgpack_object_str *str = &object->via.str;
    if (object->type != MSGPACK_OBJECT_STR || str->size >= size)
        return codec_bad_field(err, name, "is not text of its length");
    if (str->size > 0 && memchr(str->ptr, 0, str->size))
        return codec_bad_field(err, name, "has a NUL");
    size_t length = utf8_valid_prefix(str->ptr, str->size);
    if (length > 0)
        memcpy(text, str->ptr, length);
    text[length] = '\0';
    return 0;
}

int
codec_get_text(const msgpack_object *map, const char *name, char *text, size_t size,
               struct err *err)
{
    const msgpack_object *field = codec_find_field(map, name);
    return field ? codec_get_object_text(field, name, text, size, err)
                 : codec_bad_field(err, name, "is missing");
}

int
codec_get_object_bytes(const msgpack_object *object, const char *name, struct bytes *bytes,
                       struct err *err)
{
    if (object->type != MSGPACK_OBJECT_BIN)
        return codec_bad_field(err, name, "is not bytes");
    if (bytes_copy(bytes, object->via.bin.ptr, object->via.bin.size) < 0)
        return err_set(err, ERR_SYSTEM, 0, "no memory for field \"%s\"", name);
    return 0;
}

int
codec_get_bytes(const msgpack_object *map, const char *name, struct bytes *bytes, struct err *err)
{
    const msgpack_object *field = codec_find_field(map, name);
    return field ? codec_get_object_bytes(field, name, bytes, err)
                 : codec_bad_field(err, name, "is missing");
}

int
codec_check_version(const msgpack_object *version, uint64_t latest, struct err *err)
{
    if (version->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return codec_bad_message(err, "its version is not a number");
    if (version->via.u64 < 1 || version->via.u64 > latest)
        return err_set(err, ERR_PROTOCOL, 0,
                       "message refused: version %" PRIu64 " is not known, only up to %" PRIu64,
                       version->via.u64, latest);
    return 0;
}

int
codec_check_array(const msgpack_object *object, uint64_t latest, uint32_t fields, struct err *err)
{
    /* More entries than we know are a later addition and are ignored. */
    if (object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size < 1)
        return codec_bad_message(err, "it is not an array that starts with a version");
    if (codec_check_version(&object->via.array.ptr[0], latest, err) < 0)
        return -1;
    return object->via.array.size < fields ? codec_bad_message(err, "it has too few entries") : 0;
}
