/*
 * SHA-256 and HMAC-SHA256, and comparing what must not be guessed. With worker/sha256_file.c the
 * only module that knows libsodium.
 *
 *     struct digest digest;
 *     digest_begin(&digest);
 *     digest_add(&digest, data, size);
 *     digest_end(&digest, hex);
 */
#ifndef RETORT_DIGEST_H
#define RETORT_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_HEX_SIZE 65 /* lower-case digits and NUL */

struct digest {
    _Alignas(8) unsigned char state[128]; /* libsodium's */
};

void digest_begin(struct digest *digest);
void digest_add(struct digest *digest, const void *data, size_t size);
void digest_end(struct digest *digest, char hex[DIGEST_HEX_SIZE]);

/* Of text, up to its NUL, under a key of any size. */
void digest_hmac(const void *key, size_t key_size, const char *text, char hex[DIGEST_HEX_SIZE]);
/* In a time that depends on size alone. */
bool digest_equal(const void *a, const void *b, size_t size);

#endif
