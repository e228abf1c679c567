#include "common/queue_keys.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const kinds[] = {
    [QUEUE_KEY_QUEUE] = "queue",   [QUEUE_KEY_INFLIGHT] = "inflight", [QUEUE_KEY_JOB] = "job",
    [QUEUE_KEY_RESULT] = "result", [QUEUE_KEY_REPLY] = "reply",       [QUEUE_KEY_CANCEL] = "cancel",
    [QUEUE_KEY_WORKER] = "worker", [QUEUE_KEY_EVENTS] = "events",
};

int
queue_prefix_copy(char *out, const char *prefix, struct err *err)
{
    size_t size = strlen(prefix);
    for (size_t i = 0; i < size; i++)
        if (!isgraph((unsigned char)prefix[i]))
            return err_set(err, ERR_CONFIG, 0,
                           "REDIS_PREFIX has a character that is not printable");
    if (size >= QUEUE_PREFIX_SIZE)
        return err_set(err, ERR_CONFIG, 0, "REDIS_PREFIX is longer than %d bytes",
                       QUEUE_PREFIX_SIZE - 1);
    memcpy(out, prefix, size + 1);
    return 0;
}

int
queue_name_check(const char *what, const char *name, unsigned size, struct err *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(name);
    if (length == 0 || length >= size || strspn(name, allowed) != length)
        return err_set(err, ERR_CONFIG, 0, "%s \"%.80s\" is not 1 to %u of A-Z a-z 0-9 . _ -", what,
                       name, size - 1);
    return 0;
}

struct queue_key
queue_key(const char *prefix, enum queue_key_kind kind, const char *name)
{
    struct queue_key key;
    snprintf(key.text, sizeof(key.text), "%s%s:%s", prefix, kinds[kind], name);
    return key;
}
