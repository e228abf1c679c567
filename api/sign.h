/*
 * Signatures of links that are valid until a time: HMAC-SHA256 over what is linked and when that
 * ends. Who has a link needs no key; who changes one byte of it has nothing.
 *
 *     struct sign_keys keys;
 *     if (sign_keys_init(&keys, current, old, &err) < 0) ...
 *     sign(&keys, id, expires, signature);
 *     if (sign_check(&keys, id, expires_text, signature_text, now)) ...
 */
#ifndef RETORT_SIGN_H
#define RETORT_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/err.h"

#define SIGN_KEY_LEAST 16 /* characters */
#define SIGN_KEY_SIZE  257

struct sign_keys {
    char current[SIGN_KEY_SIZE]; /* signs */
    char old[SIGN_KEY_SIZE];     /* is accepted too; "": none */
};

/* Copies. old may be "". -1: one of them is too short or too long. */
int sign_keys_init(struct sign_keys *keys, const char *current, const char *old, struct err *err);
/* expires: seconds since the epoch. */
void sign(const struct sign_keys *keys, const char *id, uint64_t expires,
          char signature[DIGEST_HEX_SIZE]);
/*
 * Is this a signature of ours for id, and its time not over? expires and signature are as the
 * client sent them, either may be NULL. Takes the same time whatever is wrong with a signature of
 * the right size.
 */
bool sign_check(const struct sign_keys *keys, const char *id, const char *expires,
                const char *signature, uint64_t now);

#endif
