/* The letters of the dead-letter list, which scripts write: cmsgpack has one type for all bytes. */
#include "common/codec.h"
#include "common/codec_fields.h"

#define LETTER_VERSION 1
#define LETTER_FIELDS  5

static int
read_fields(const msgpack_object *object, struct codec_letter *letter, struct err *err)
{
    if (codec_check_array(object, LETTER_VERSION, LETTER_FIELDS, err) < 0)
        return -1;
    const msgpack_object *fields = object->via.array.ptr;
    const msgpack_object_str *element = &fields[4].via.str;
    if (fields[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER || fields[1].via.u64 > INT64_MAX)
        return codec_bad_field(err, "time", "is not a number in its range");
    if (fields[4].type != MSGPACK_OBJECT_STR)
        return codec_bad_field(err, "element", "is not bytes");
    if (codec_get_object_text(&fields[2], "worker", letter->worker, sizeof(letter->worker), err) <
            0 ||
        codec_get_object_text(&fields[3], "reason", letter->reason, sizeof(letter->reason), err) <
            0)
        return -1;
    letter->time_ms = (int64_t)fields[1].via.u64;
    if (bytes_copy(&letter->element, element->ptr, element->size) < 0)
        return err_set(err, ERR_SYSTEM, 0, "no memory for a dead letter");
    return 0;
}

int
codec_unpack_letter(const void *data, size_t size, struct codec_letter *letter, struct err *err)
{
    msgpack_unpacked unpacked;

    *letter = (struct codec_letter){.time_ms = 0};
    if (codec_parse(data, size, &unpacked, err) < 0)
        return -1;
    int result = read_fields(&unpacked.data, letter, err);
    msgpack_unpacked_destroy(&unpacked);
    return result;
}
