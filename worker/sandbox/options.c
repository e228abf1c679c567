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

static int
parse_uid(const char *text, uint32_t *uid, struct err *err)
{
    char *end;

    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value == 0 ||
        value >= UINT32_MAX)
        return err_set(err, ERR_INVALID, 0, "--uid %s is not a user id above 0", text);
    *uid = (uint32_t)value;
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
    if (strcmp(flag, "--uid") == 0)
        return parse_uid(value, &options->uid, err);
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

    *options = (struct sandbox_options){.uid = 0};
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
