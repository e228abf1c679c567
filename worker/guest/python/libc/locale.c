/*
 * setlocale() that knows its locales and has glibc's names for what is set. musl's takes any name
 * and behaves as in C.UTF-8, so that a program which asks for German would believe that it got it.
 * Known are those of a Debian on which no other was generated; the empty name is C.UTF-8, there
 * being no environment.
 */
#include <locale.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CATEGORIES   12 /* of glibc, which prints them all */

char *__real_setlocale(int category, const char *name);
char *__wrap_setlocale(int category, const char *name);

struct category {
    const char *name;
    int number; /* musl's, or -1 */
};

static const struct category categories[CATEGORIES] = {
    {"LC_CTYPE", LC_CTYPE},
    {"LC_NUMERIC", LC_NUMERIC},
    {"LC_TIME", LC_TIME},
    {"LC_COLLATE", LC_COLLATE},
    {"LC_MONETARY", LC_MONETARY},
    {"LC_MESSAGES", LC_MESSAGES},
    {"LC_PAPER", -1},
    {"LC_NAME", -1},
    {"LC_ADDRESS", -1},
    {"LC_TELEPHONE", -1},
    {"LC_MEASUREMENT", -1},
    {"LC_IDENTIFICATION", -1},
};

/* What is set; pointers into the table below. */
static const char *set[CATEGORIES] = {"C", "C", "C", "C", "C", "C", "C", "C", "C", "C", "C", "C"};

static const char *
known(const char *name, size_t length)
{
    static const char *const names[][2] = {
        {"", "C.UTF-8"}, {"C", "C"}, {"POSIX", "C"}, {"C.UTF-8", "C.UTF-8"}, {"C.utf8", "C.utf8"},
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (strlen(names[i][0]) == length && strncmp(name, names[i][0], length) == 0)
            return names[i][1];
    return NULL;
}

/* name, or what it has for the category if it is "LC_CTYPE=...;LC_NUMERIC=...". */
static const char *
name_for(const char *name, const struct category *category)
{
    size_t length = strlen(category->name);

    if (strchr(name, '=') == NULL)
        return known(name, strlen(name));
    for (const char *part = name; part != NULL; part = strchr(part, ';')) {
        part += *part == ';';
        if (strncmp(part, category->name, length) == 0 && part[length] == '=')
            return known(part + length + 1, strcspn(part + length + 1, ";"));
    }
    return NULL;
}

static char *
describe_all(void)
{
    static char text[CATEGORIES * 32];
    size_t at = 0;
    int same = 1;

    for (int i = 0; i < CATEGORIES; i++) {
        same &= strcmp(set[i], set[0]) == 0;
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s=%s", i > 0 ? ";" : "",
                               categories[i].name, set[i]);
    }
    return same ? (char *)set[0] : text;
}

static int
change(int category, const char *name)
{
    const char *wanted[CATEGORIES];

    for (int i = 0; i < CATEGORIES; i++) {
        int concerned = category == LC_ALL || category == categories[i].number;
        wanted[i] = concerned ? name_for(name, &categories[i]) : set[i];
        if (wanted[i] == NULL)
            return -1;
    }
    for (int i = 0; i < CATEGORIES; i++) {
        set[i] = wanted[i];
        if (categories[i].number >= 0)
            __real_setlocale(categories[i].number, strcmp(set[i], "C") == 0 ? "C" : "C.UTF-8");
    }
    return 0;
}

char *
__wrap_setlocale(int category, const char *name)
{
    if (name != NULL && change(category, name) < 0)
        return NULL;
    if (category == LC_ALL)
        return describe_all();
    for (int i = 0; i < CATEGORIES; i++)
        if (categories[i].number == category)
            return (char *)set[i];
    return NULL;
}
