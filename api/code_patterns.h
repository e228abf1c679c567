/*
 * Texts that POST /execute refuses to find in a program. A lint for those who mean well: whoever
 * wants to, writes the same thing another way. What bounds programs is the sandbox.
 *
 * A pattern is found where its text stands in a line, also in a string or comment. A blank of it
 * stands for one or more blanks and tabs, or, beside "(", for none. One that begins or ends with a
 * letter, digit or _ does not begin or end within a name: "eval(" is not in "literal_eval(x)".
 */
#ifndef RETORT_CODE_PATTERNS_H
#define RETORT_CODE_PATTERNS_H

#include <stddef.h>

#include "common/err.h"

#define CODE_PATTERNS_MOST 1000
#define CODE_PATTERN_BYTES 200

struct code_patterns {
    char **list; /* of count */
    size_t count;
};

/*
 * Those of a file, a line each; lines that are empty or begin with # are none. "": the built-in
 * ones, code_patterns.def. Zeroed before; code_patterns_fini(). -1: CONFIG.
 */
int code_patterns_load(struct code_patterns *patterns, const char *path, struct err *err);
/* The pattern in the first line that has one, and that line's number from 1; NULL: there is none.
 */
const char *code_patterns_find(const struct code_patterns *patterns, const char *code, size_t size,
                               size_t *line);
void code_patterns_fini(struct code_patterns *patterns);

#endif
