#include "api/code_patterns.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTING_NAME "EXECUTE_PATTERNS_FILE"

static int
add(struct code_patterns *patterns, const char *text, struct err *err)
{
    char **longer = realloc(patterns->list, (patterns->count + 1) * sizeof(*longer));
    if (longer)
        patterns->list = longer;
    char *copy = longer ? strdup(text) : NULL;
    if (!copy)
        return err_set(err, ERR_SYSTEM, 0, SETTING_NAME ": no memory for the patterns");
    patterns->list[patterns->count++] = copy;
    return 0;
}

/* Without blanks around it. */
static char *
trim(char *line)
{
    size_t size = strlen(line);
    while (size > 0 && isspace((unsigned char)line[size - 1]))
        line[--size] = '\0';
    return line + strspn(line, " \t");
}

static int
read_lines(struct code_patterns *patterns, FILE *file, struct err *err)
{
    char line[CODE_PATTERN_BYTES + 2];
    for (size_t number = 1; fgets(line, sizeof(line), file); number++) {
        if (!strchr(line, '\n') && !feof(file))
            return err_set(err, ERR_CONFIG, 0, SETTING_NAME ": line %zu has more than %d bytes",
                           number, CODE_PATTERN_BYTES);
        const char *text = trim(line);
        if (text[0] == '\0' || text[0] == '#')
            continue;
        if (patterns->count == CODE_PATTERNS_MOST)
            return err_set(err, ERR_CONFIG, 0, SETTING_NAME ": there are more than %d patterns",
                           CODE_PATTERNS_MOST);
        if (add(patterns, text, err) < 0)
            return -1;
    }
    return ferror(file) ? err_set(err, ERR_CONFIG, errno, SETTING_NAME ": it cannot be read") : 0;
}

static int
add_built_in(struct code_patterns *patterns, struct err *err)
{
    static const char *const built_in[] = {
#define CODE_PATTERN(text) text,
#include "api/code_patterns.def"
#undef CODE_PATTERN
    };
    for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++)
        if (add(patterns, built_in[i], err) < 0)
            return -1;
    return 0;
}

int
code_patterns_load(struct code_patterns *patterns, const char *path, struct err *err)
{
    if (path[0] == '\0')
        return add_built_in(patterns, err);
    FILE *file = fopen(path, "re");
    if (!file)
        return err_set(err, ERR_CONFIG, errno, SETTING_NAME ": %s cannot be opened", path);
    int status = read_lines(patterns, file, err);
    (void)fclose(file);
    return status;
}

static bool
is_of_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Whether pattern stands at `at`, which is below end. */
static bool
stands_at(const char *pattern, const char *at, const char *end)
{
    for (char last = '\0'; *pattern; last = *pattern++) {
        const char *from = at;
        if (is_blank(*pattern) || *pattern == '(')
            while (at < end && is_blank(*at))
                at++;
        if (is_blank(*pattern)) {
            if (at == from && last != '(' && pattern[1] != '(')
                return false;
        } else if (at == end || *at++ != *pattern) {
            return false;
        }
    }
    return at == end || !is_of_name(at[-1]) || !is_of_name(*at);
}

static const char *
find_in_line(const struct code_patterns *patterns, const char *line, const char *end)
{
    for (size_t i = 0; i < patterns->count; i++) {
        const char *pattern = patterns->list[i];
        const char *at = line;
        while (at < end && (at = memchr(at, pattern[0], (size_t)(end - at)))) {
            bool inside = at > line && is_of_name(at[-1]) && is_of_name(*at);
            if (!inside && stands_at(pattern, at, end))
                return pattern;
            at++;
        }
    }
    return NULL;
}

const char *
code_patterns_find(const struct code_patterns *patterns, const char *code, size_t size,
                   size_t *line)
{
    const char *end = code + size;
    *line = 1;
    for (const char *at = code; at < end; ++*line) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        const char *found = find_in_line(patterns, at, stop);
        if (found)
            return found;
        at = stop + 1;
    }
    return NULL;
}

void
code_patterns_fini(struct code_patterns *patterns)
{
    for (size_t i = 0; i < patterns->count; i++)
        free(patterns->list[i]);
    free(patterns->list);
    *patterns = (struct code_patterns){0};
}
