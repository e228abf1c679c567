/* The query of a request's target: name=value, separated by &. */
#ifndef RETORT_QUERY_H
#define RETORT_QUERY_H

#include <stddef.h>

/*
 * Copies the first value of name, with %XX and + decoded, into value. 1: done; 0: there is none;
 * -1: it does not fit, has a NUL, or a % that begins nothing.
 */
int query_get(const char *query, const char *name, char *value, size_t size);

#endif
