#include "api/header_value.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define TOKEN  "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define BLANKS " \t"

bool
header_value_is(const char *value, const char *word)
{
    size_t size = strlen(word);

    return value && strcspn(value, "; \t") == size && strncasecmp(value, word, size) == 0;
}

/* A quoted string from its first quote on; *text moves past the last. -1: not well-formed. */
static int
take_quoted(const char **text, char *out, size_t size)
{
    const char *at = *text + 1;
    size_t used = 0;

    for (; *at != '"'; at++) {
        if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
            at++;
        if (*at == '\0' || used + 1 >= size)
            return -1;
        out[used++] = *at;
    }
    out[used] = '\0';
    *text = at + 1;
    return 0;
}

static int
take_token(const char **text, char *out, size_t size)
{
    size_t length = strspn(*text, TOKEN);

    if (length == 0 || length >= size)
        return -1;
    memcpy(out, *text, length);
    out[length] = '\0';
    *text += length;
    return 0;
}

static const char *
skip_blanks(const char *text)
{
    return text + strspn(text, BLANKS);
}

/* The parameter behind a semicolon. 1: it has this name, and out its text. */
static int
take_parameter(const char **text, const char *name, char *out, size_t size)
{
    char other[1024];
    const char *at = skip_blanks(*text);
    size_t length = strspn(at, TOKEN);
    bool wanted = length == strlen(name) && strncasecmp(at, name, length) == 0;
    char *value = wanted ? out : other;
    size_t room = wanted ? size : sizeof(other);

    if (length == 0 || at[length] != '=')
        return -1;
    at += length + 1;
    if ((*at == '"' ? take_quoted(&at, value, room) : take_token(&at, value, room)) < 0)
        return -1;
    *text = skip_blanks(at);
    return wanted;
}

int
header_value_parameter(const char *value, const char *name, char *out, size_t size)
{
    const char *at = skip_blanks(value + strcspn(value, "; \t"));
    int found = 0;

    while (*at == ';') {
        at = skip_blanks(at + 1);
        if (*at == '\0')
            break;
        /* A second one would write over the first. */
        char ignored[1024];
        int taken =
            take_parameter(&at, name, found ? ignored : out, found ? sizeof(ignored) : size);
        if (taken < 0 || (taken && found))
            return -1;
        found |= taken;
    }
    return *at == '\0' ? found : -1;
}
