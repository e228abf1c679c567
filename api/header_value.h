/*
 * Values of HTTP and MIME headers: a word and parameters (RFC 9110, 5.6.6).
 *
 *     Content-Disposition: form-data; name="file"; filename="a.csv"
 */
#ifndef RETORT_HEADER_VALUE_H
#define RETORT_HEADER_VALUE_H

#include <stdbool.h>
#include <stddef.h>

/* Is the word before the parameters this one (any case)? value may be NULL. */
bool header_value_is(const char *value, const char *word);
/*
 * Writes the parameter of that name (any case), a token or a quoted string, as text into out. In
 * a quoted string \" and \\ stand for a quote and a backslash; other backslashes are themselves,
 * as browsers send them. Returns 1; 0 when there is none; -1 when the value is not well-formed, has
 * the parameter twice, or out is too small.
 */
int header_value_parameter(const char *value, const char *name, char *out, size_t size);

#endif
