/* libs: libapi.a libcommon.a */
/* Forms, in pieces as large as the first byte says: what comes out is the same as from one piece.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t parts, ends, bytes, sum;
};

static int
on_part(void *context, const struct multipart_part *part, struct err *err)
{
    struct seen *seen = context;
    (void)err;
    if (strpbrk(part->filename, "/\\\r\n") || !part->name[0])
        abort();
    seen->parts++;
    return 0;
}

static int
on_data(void *context, const char *data, size_t size, struct err *err)
{
    struct seen *seen = context;
    (void)err;
    if (size == 0)
        abort();
    for (size_t i = 0; i < size; i++)
        seen->sum = seen->sum * 31 + (unsigned char)data[i];
    seen->bytes += size;
    return 0;
}

static int
on_part_end(void *context, struct err *err)
{
    (void)err;
    ((struct seen *)context)->ends++;
    return 0;
}

static int
run(const char *data, size_t size, size_t step, struct seen *seen)
{
    static const struct multipart_events events = {on_part, on_data, on_part_end};
    static struct multipart multipart;
    struct err err = ERR_INIT;

    *seen = (struct seen){0};
    if (multipart_init(&multipart, "multipart/form-data; boundary=b", &events, seen, &err) < 0)
        abort();
    for (size_t at = 0; at < size; at += step)
        if (multipart_feed(&multipart, data + at, size - at < step ? size - at : step, &err) < 0)
            return -1;
    return multipart_end(&multipart, &err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen whole, pieces;

    if (size == 0)
        return 0;
    int result = run((const char *)data + 1, size - 1, size, &whole);
    if (run((const char *)data + 1, size - 1, data[0] + 1u, &pieces) != result ||
        pieces.parts != whole.parts || pieces.ends != whole.ends ||
        (result == 0 && memcmp(&pieces, &whole, sizeof(whole)) != 0))
        abort();
    return 0;
}
