#include "tests/escape/guest/script.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/escape/guest/door_calls.h"
#include "tests/escape/guest/operations.h"

#define VARIABLES_MAX 32
#define NAME_BYTES    24

static struct {
    char name[NAME_BYTES];
    uint64_t value;
} variables[VARIABLES_MAX];
static int variable_count;

static bool
set_variable(const char *name, uint64_t value)
{
    int i = 0;

    while (i < variable_count && strcmp(variables[i].name, name) != 0)
        i++;
    if (i == VARIABLES_MAX || strlen(name) >= NAME_BYTES)
        return false;
    if (i == variable_count)
        variable_count++;
    strcpy(variables[i].name, name);
    variables[i].value = value;
    return true;
}

/* A number or the name of an earlier result. */
static bool
evaluate_term(const char *word, uint64_t *value)
{
    char *end;

    *value = word[0] == '-' ? (uint64_t)strtoll(word, &end, 0) : strtoull(word, &end, 0);
    if (end != word && *end == '\0')
        return true;
    for (int i = 0; i < variable_count; i++) {
        *value = variables[i].value;
        if (strcmp(variables[i].name, word) == 0)
            return true;
    }
    return false;
}

static bool
evaluate(char *word, uint64_t *value)
{
    uint64_t offset = 0;
    char *plus = strchr(word, '+');

    if (word[0] == '"') {
        word[strlen(word) - 1] = '\0';
        *value = host_address(word + 1);
        return true;
    }
    if (plus != NULL)
        *plus++ = '\0';
    if (!evaluate_term(word, value) || (plus != NULL && !evaluate_term(plus, &offset)))
        return false;
    *value += offset;
    return true;
}

/* The next word of *at, ended; a text keeps its quotes. NULL at the end of the line. */
static char *
next_word(char **at)
{
    char *start = *at + strspn(*at, " ");
    char *end;

    if (*start == '\0')
        return NULL;
    if (*start == '"') {
        end = strchr(start + 1, '"');
        end = end != NULL ? end + 1 : start + strlen(start);
    } else {
        end = start + strcspn(start, " ");
    }
    *at = *end == '\0' ? end : end + 1;
    *end = '\0';
    return start;
}

/* repeat COUNT OPERATION WORD... */
static uint64_t
take_count(char **at)
{
    char *word = next_word(at);
    uint64_t count;

    return word != NULL && evaluate(word, &count) ? count : 0;
}

static bool
run_operation(const char *name, char *rest, uint64_t *result)
{
    uint64_t words[WORDS_MAX] = {0};
    uint64_t times = 1;
    char *word;

    if (strcmp(name, "repeat") == 0) {
        times = take_count(&rest);
        name = next_word(&rest);
    }
    const struct operation *operation = name != NULL ? operation_find(name) : NULL;
    if (operation == NULL)
        return false;
    for (int i = 0; (word = next_word(&rest)) != NULL; i++)
        if (i == WORDS_MAX || !evaluate(word, &words[i]))
            return false;
    while (times-- > 0)
        *result = operation->run(words);
    return true;
}

static bool
run_line(char *line)
{
    char *first = next_word(&line);
    char *after = line;
    uint64_t result = 0;

    if (first == NULL || first[0] == '#')
        return true;
    if (strncmp(line, "= ", 2) != 0)
        return run_operation(first, line, &result);
    (void)next_word(&after);
    char *name = next_word(&after);
    return name != NULL && run_operation(name, after, &result) && set_variable(first, result);
}

int
script_run(char *text)
{
    int number = 1;

    for (char *end; text != NULL; text = end, number++) {
        end = strchr(text, '\n');
        if (end != NULL)
            *end++ = '\0';
        if (!run_line(text))
            return number;
    }
    return 0;
}
