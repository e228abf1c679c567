#include "worker/sandbox/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    char **argv;
    int argc, at;
    bool zygote;
    const char **env;
    size_t env_count;
};

/* The value of flag: digits, from 1 to most. */
static int
parse_number(const char *flag, const char *text, uint64_t most, uint64_t *number, struct err *err)
{
    char *end;

    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] < '0' || text[0] > '9' || value == 0 ||
        value > most)
        return err_set(err, ERR_INVALID, 0, "%s %s is not a number above 0", flag, text);
    *number = value;
    return 0;
}

static int
parse_number32(const char *flag, const char *text, uint32_t *number, struct err *err)
{
    uint64_t value;

    if (parse_number(flag, text, UINT32_MAX - 1, &value, err) < 0)
        return -1;
    *number = (uint32_t)value;
    return 0;
}

/* The flag at parser->at and, if it has one, its value. */
static int
parse_one(struct parser *parser, struct sandbox_options *options, struct err *err)
{
    const char *flag = parser->argv[parser->at++];

    if (strcmp(flag, "--zygote") == 0) {
        parser->zygote = true;
        return 0;
    }
    if (strcmp(flag, "--bootstrap") == 0) {
        options->bootstrap = true;
        return 0;
    }
    if (parser->at == parser->argc)
        return err_set(err, ERR_INVALID, 0, "%s: unknown, or its value is missing", flag);
    const char *value = parser->argv[parser->at++];
    if (strcmp(flag, "--work-bytes") == 0)
        return parse_number(flag, value, INT64_MAX, &options->work_bytes, err);
    if (strcmp(flag, "--work-files") == 0)
        return parse_number32(flag, value, &options->work_files, err);
    if (strcmp(flag, "--rehearsal") == 0) {
        options->rehearsal = value;
        return 0;
    }
    if (strcmp(flag, "--env") == 0) {
        parser->env[parser->env_count++] = value;
        return 0;
    }
    return err_set(err, ERR_INVALID, 0, "%s: unknown flag", flag);
}

int
sandbox_options_parse(struct sandbox_options *options, int argc, char **argv, struct err *err)
{
    struct parser parser = {.argv = argv, .argc = argc, .at = 1};

    *options = (struct sandbox_options){.bootstrap = false};
    parser.env = calloc((size_t)argc + 1, sizeof(*parser.env));
    if (parser.env == NULL)
        return err_set(err, ERR_SYSTEM, ENOMEM, "cannot read the arguments");
    options->env = parser.env;
    while (parser.at < argc && strcmp(argv[parser.at], "--") != 0)
        if (parse_one(&parser, options, err) < 0)
            return -1;
    if (!parser.zygote)
        return err_set(err, ERR_INVALID, 0,
                       "this program is an image of Retort; run it with retort-run --image");
    if (parser.at + 1 >= argc)
        return err_set(err, ERR_INVALID, 0, "no arguments for the module after --");
    options->argv = argv + parser.at + 1;
    return 0;
}
