/* What the lines of a script can do. */
#ifndef RETORT_TESTS_ESCAPE_GUEST_OPERATIONS_H
#define RETORT_TESTS_ESCAPE_GUEST_OPERATIONS_H

#include <stdint.h>

#define WORDS_MAX 12

/* words: WORDS_MAX values, zero beyond those that the line has. */
struct operation {
    const char *name;
    uint64_t (*run)(const uint64_t *words);
};

/* NULL: there is none of that name. */
const struct operation *operation_find(const char *name);

/* Writes at once, so that it is seen whatever comes next. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
