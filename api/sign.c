#include "api/sign.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/config.h"

/* So that a key that signs something else too, by mistake, signs nothing like it. */
#define PURPOSE "retort artifact link 1"

static int
take_key(char *key, const char *text, const char *setting, struct err *err)
{
    size_t size = strlen(text);

    if (size < SIGN_KEY_LEAST || size >= SIGN_KEY_SIZE)
        return err_set(err, ERR_CONFIG, 0, "%s must have %d to %d characters; it has %zu.", setting,
                       SIGN_KEY_LEAST, SIGN_KEY_SIZE - 1, size);
    memcpy(key, text, size + 1);
    return 0;
}

int
sign_keys_init(struct sign_keys *keys, const char *current, const char *old, struct err *err)
{
    *keys = (struct sign_keys){.current = ""};
    if (take_key(keys->current, current, "SIGNING_KEY", err) < 0)
        return -1;
    return old[0] ? take_key(keys->old, old, "SIGNING_KEY_OLD", err) : 0;
}

static void
sign_with(const char *key, const char *id, uint64_t expires, char signature[DIGEST_HEX_SIZE])
{
    char message[256];

    snprintf(message, sizeof(message), "%s\n%" PRIu64 "\n%s", PURPOSE, expires, id);
    digest_hmac(key, strlen(key), message, signature);
}

void
sign(const struct sign_keys *keys, const char *id, uint64_t expires,
     char signature[DIGEST_HEX_SIZE])
{
    sign_with(keys->current, id, expires, signature);
}

bool
sign_check(const struct sign_keys *keys, const char *id, const char *expires, const char *signature,
           uint64_t now)
{
    char with_current[DIGEST_HEX_SIZE], with_old[DIGEST_HEX_SIZE];
    uint64_t until = 0;

    if (!expires || !signature || strlen(signature) != DIGEST_HEX_SIZE - 1)
        return false;
    /* "007" is no other way to write 7. */
    bool number = config_parse_uint(expires, &until) && (expires[0] != '0' || !expires[1]);
    sign_with(keys->current, id, until, with_current);
    sign_with(keys->old[0] ? keys->old : keys->current, id, until, with_old);
    bool current = digest_equal(with_current, signature, DIGEST_HEX_SIZE - 1);
    bool old = digest_equal(with_old, signature, DIGEST_HEX_SIZE - 1);
    return (number & (current | old)) && now < until;
}
