/* What the codecs of jobs and results share: packing and checking of single fields. */
#ifndef RETORT_CODEC_FIELDS_H
#define RETORT_CODEC_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <msgpack.h>

#include "common/err.h"
#include "common/job.h"

/* ---- packing ---- */

/* A message that is being packed, in one piece of memory that is not copied in the end. */
struct codec_packing {
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    size_t least_bytes;
};

/* payload_bytes: of all texts and bytes in it. -1: TOO_LARGE, or out of memory. */
int codec_packing_begin(struct codec_packing *packing, size_t payload_bytes, struct err *err);
/* Gives the message to out, or, when memory ran out on the way, nothing. */
int codec_packing_end(struct codec_packing *packing, struct bytes *out, struct err *err);

void codec_pack_str(msgpack_packer *packer, const char *text);
void codec_pack_text(msgpack_packer *packer, const struct bytes *text);
void codec_pack_bin(msgpack_packer *packer, const struct bytes *bytes);
void codec_pack_str_field(msgpack_packer *packer, const char *name, const char *value);
void codec_pack_uint_field(msgpack_packer *packer, const char *name, uint64_t value);
void codec_pack_int_field(msgpack_packer *packer, const char *name, int64_t value);
void codec_pack_bin_field(msgpack_packer *packer, const char *name, const struct bytes *value);

/* ---- unpacking: -1 with PROTOCOL (or SYSTEM: out of memory) ---- */

int codec_bad_message(struct err *err, const char *what);
int codec_bad_field(struct err *err, const char *name, const char *what);
/* On success destroy *unpacked. */
int codec_parse(const void *data, size_t size, msgpack_unpacked *unpacked, struct err *err);

/* latest: the youngest version that is known. */
int codec_check_version(const msgpack_object *version, uint64_t latest, struct err *err);
/* An array that starts with a version and has at least so many entries. */
int codec_check_array(const msgpack_object *object, uint64_t latest, uint32_t fields,
                      struct err *err);

/* A member of a map, or NULL. */
const msgpack_object *codec_find_field(const msgpack_object *map, const char *name);
int codec_get_uint(const msgpack_object *map, const char *name, uint64_t maximum, uint64_t *value,
                   struct err *err);
int codec_get_u32(const msgpack_object *map, const char *name, uint32_t minimum, uint32_t *value,
                  struct err *err);
int codec_get_i32(const msgpack_object *map, const char *name, int32_t *value, struct err *err);
int codec_get_text(const msgpack_object *map, const char *name, char *text, size_t size,
                   struct err *err);
int codec_get_bytes(const msgpack_object *map, const char *name, struct bytes *bytes,
                    struct err *err);

/* The same of an object; name is for the sentence. Text ends where it stops being UTF-8. */
int codec_get_object_text(const msgpack_object *object, const char *name, char *text, size_t size,
                          struct err *err);
int codec_get_object_bytes(const msgpack_object *object, const char *name, struct bytes *bytes,
                           struct err *err);

#endif
