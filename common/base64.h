/*
 * Base64 with the alphabet and padding of RFC 4648, section 4. Our own, since libsodium's takes
 * the same time for every text, which costs three to five times as much and protects nothing here.
 */
#ifndef RETORT_BASE64_H
#define RETORT_BASE64_H

#include <stddef.h>

/* Characters that size bytes become. size at most SIZE_MAX / 2. */
size_t base64_encoded_size(size_t size);
/* Writes that many to text, and no NUL. */
void base64_encode(const void *data, size_t size, char *text);
/*
 * Writes at most size / 4 * 3 bytes to data and tells how many. -1: a character that is not of the
 * alphabet (white space is none), wrong padding, or bits behind the last byte that are not zero.
 */
int base64_decode(const char *text, size_t size, void *data, size_t *data_size);

#endif
