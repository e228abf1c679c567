/* The part of a target behind the '?': name=value pairs. */
#ifndef RETORT_QUERY_H
#define RETORT_QUERY_H

#include <stddef.h>

/*
 * Writes the value of that name, percent-decoded, as text into out. Returns 1; 0 when there is
 * none, and out is as it was; -1 when it is there twice, is not well-formed, has a NUL, or does not
 * fit.
 */
int query_get(const char *query, const char *name, char *out, size_t size);

#endif
