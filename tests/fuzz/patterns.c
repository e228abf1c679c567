/* link: api/code_patterns.c */
/* libs: libcommon.a */
/* Programs that POST /execute looks through; the first line is a pattern. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/code_patterns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char pattern[CODE_PATTERN_BYTES + 1];
    const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t length = newline ? (size_t)(newline - data) : 0, line;
    if (length == 0 || length > CODE_PATTERN_BYTES || memchr(data, '\0', length))
        return 0;
    memcpy(pattern, data, length);
    pattern[length] = '\0';
    struct code_patterns patterns = {(char *[]){pattern}, 1};
    size_t rest = size - length - 1;
    const char *code = (const char *)newline + 1;
    const char *found = code_patterns_find(&patterns, code, rest, &line);
    if (found && (found != pattern || line < 1 || line > rest + 1))
        abort();
    return 0;
}
