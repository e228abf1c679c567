/* Bytes from elsewhere as text that can do nothing to a terminal, and as JSON. */
#ifndef RETORT_PRINTABLE_H
#define RETORT_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Valid UTF-8 stands as it is; control characters, those that change the direction of writing or
 * cannot be seen, and what is not UTF-8 become \xNN, a backslash \\. lines: newlines and tabs stay.
 */
void printable_put(FILE *out, const char *data, size_t size, bool lines);
/* A JSON string. What is not UTF-8 becomes U+FFFD, control characters are escaped. */
void printable_put_json(FILE *out, const char *data, size_t size);
/* Two digits a byte. */
void printable_put_hex(FILE *out, const char *data, size_t size);

#endif
