#include "common/digest.h"

#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(((struct digest *)0)->state), "room");
_Static_assert(DIGEST_HEX_SIZE == 2 * crypto_hash_sha256_BYTES + 1, "two digits a byte");
_Static_assert(crypto_auth_hmacsha256_BYTES == crypto_hash_sha256_BYTES, "the same size");

static crypto_hash_sha256_state *
state_of(struct digest *digest)
{
    return (crypto_hash_sha256_state *)(void *)digest->state;
}

void
digest_begin(struct digest *digest)
{
    crypto_hash_sha256_init(state_of(digest));
}

void
digest_add(struct digest *digest, const void *data, size_t size)
{
    crypto_hash_sha256_update(state_of(digest), data, size);
}

void
digest_end(struct digest *digest, char hex[DIGEST_HEX_SIZE])
{
    unsigned char hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256_final(state_of(digest), hash);
    sodium_bin2hex(hex, DIGEST_HEX_SIZE, hash, sizeof(hash));
}

void
digest_hmac(const void *key, size_t key_size, const char *text, char hex[DIGEST_HEX_SIZE])
{
    unsigned char code[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, key, key_size);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text, strlen(text));
    crypto_auth_hmacsha256_final(&state, code);
    sodium_bin2hex(hex, DIGEST_HEX_SIZE, code, sizeof(code));
    sodium_memzero(&state, sizeof(state));
}

bool
digest_equal(const void *a, const void *b, size_t size)
{
    return sodium_memcmp(a, b, size) == 0;
}
