/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF. */
#ifndef RETORT_UTF8_H
#define RETORT_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "common/bytes.h"

/*
 * Length of the first character of data, 1 to 4, with *valid set; of an ill-formed start the
 * length of its maximal subpart (the Unicode standard's rule, section 3.9), with *valid cleared.
 * size at least 1.
 */
size_t utf8_sequence(const char *data, size_t size, bool *valid);

/*
 * Length of the longest prefix of data that is whole, valid characters. Here and below data may
 * be NULL when size is 0.
 */
size_t utf8_valid_prefix(const char *data, size_t size);

/*
 * The largest length <= size at which data may be cut without splitting a character: size, or up
 * to 3 less when an unfinished character stands at the end. Ill-formed bytes are left alone.
 */
size_t utf8_cut(const char *data, size_t size);

/*
 * Copies data with each maximal ill-formed subpart replaced by U+FFFD, as Python's
 * bytes.decode("utf-8", "replace") does. out is overwritten; free with bytes_fini(). -1: out of
 * memory.
 */
int utf8_replace(const char *data, size_t size, struct bytes *out);

#endif
