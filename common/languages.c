#include "common/languages.h"

#include <stdio.h>
#include <string.h>

#include "common/config.h"

/* What is shown of a list's part that is not valid. */
#define SHOWN_BYTES 60

static int
parse_slots(struct language *language, const char *text, size_t size, struct err *err)
{
    char digits[8];
    uint64_t slots;

    (void)snprintf(digits, sizeof(digits), "%.*s", (int)(size < sizeof(digits) ? size : 7), text);
    if (size >= sizeof(digits) || !config_parse_uint(digits, &slots) || slots < 1 ||
        slots > LANGUAGE_SLOTS_MOST)
        return err_set(err, ERR_CONFIG, 0,
                       "LANGUAGES: the slots of %s, \"%.*s\", are not a whole number from 1 to %d",
                       language->name, (int)(size < SHOWN_BYTES ? size : SHOWN_BYTES), text,
                       LANGUAGE_SLOTS_MOST);
    language->slots = (uint32_t)slots;
    return 0;
}

/* NAME or NAME:SLOTS, of size bytes. */
static int
parse_one(struct languages *languages, const char *text, size_t size, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    struct language language = {.slots = 0};
    const char *colon = memchr(text, ':', size);
    size_t length = colon ? (size_t)(colon - text) : size;

    if (length == 0 || length >= sizeof(language.name) || strspn(text, allowed) < length)
        return err_set(
            err, ERR_CONFIG, 0, "LANGUAGES: \"%.*s\" is not a name of 1 to %d of a-z 0-9 -",
            (int)(length < SHOWN_BYTES ? length : SHOWN_BYTES), text, JOB_LANGUAGE_SIZE - 1);
    memcpy(language.name, text, length);
    language.name[length] = '\0';
    if (languages_find(languages, language.name))
        return err_set(err, ERR_CONFIG, 0, "LANGUAGES: %s is there twice", language.name);
    if (languages->count == LANGUAGES_MOST)
        return err_set(err, ERR_CONFIG, 0, "LANGUAGES: there are more than %d", LANGUAGES_MOST);
    if (colon && parse_slots(&language, colon + 1, size - length - 1, err) < 0)
        return -1;
    languages->list[languages->count++] = language;
    return 0;
}

int
languages_parse(struct languages *languages, const char *list, struct err *err)
{
    const char *at = list, *end;

    languages->count = 0;
    do {
        end = at + strcspn(at, ",");
        if (parse_one(languages, at, (size_t)(end - at), err) < 0)
            return -1;
        at = end + 1;
    } while (*end);
    return 0;
}

const struct language *
languages_find(const struct languages *languages, const char *name)
{
    for (size_t i = 0; i < languages->count; i++) {
        if (strcmp(languages->list[i].name, name) == 0)
            return &languages->list[i];
    }
    return NULL;
}
