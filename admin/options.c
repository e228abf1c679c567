#include "admin/options.h"

#include <string.h>

#define DEFAULT_LIMIT     20
#define LIMIT_MOST        10000
#define DEFAULT_TIMEOUT_S 30
#define TIMEOUT_MOST_S    3600

/* The value of --name value or --name=value at argv[*index], which moves past it. NULL: another. */
static const char *
take_value(const char *name, int argc, char **argv, int *index)
{
    const char *arg = argv[*index];
    size_t length = strlen(name);

    if (strncmp(arg, name, length) != 0)
        return NULL;
    if (arg[length] == '=') {
        ++*index;
        return arg + length + 1;
    }
    if (arg[length] != '\0' || *index + 1 >= argc)
        return NULL;
    *index += 2;
    return argv[*index - 1];
}

static int
take_number(const char *name, const char *text, uint64_t most, uint64_t *value, struct err *err)
{
    if (!config_parse_uint(text, value) || *value < 1 || *value > most)
        return err_set(err, ERR_CONFIG, 0, "%s: \"%.40s\" is not a whole number from 1 to %u", name,
                       text, (unsigned)most);
    return 0;
}

/* 1: taken, 0: not one of these. */
static int
take_option(struct command_options *options, int argc, char **argv, int *index, struct err *err)
{
    const char *arg = argv[*index], *value;

    if (strcmp(arg, "--json") == 0 || strcmp(arg, "--code") == 0) {
        *(arg[2] == 'j' ? &options->json : &options->code) = true;
        ++*index;
        return 1;
    }
    if ((value = take_value("--worker", argc, argv, index))) {
        options->worker = value;
        return 1;
    }
    if ((value = take_value("--drop", argc, argv, index))) {
        options->drop = value;
        return 1;
    }
    if ((value = take_value("--limit", argc, argv, index)))
        return take_number("--limit", value, LIMIT_MOST, &options->limit, err) < 0 ? -1 : 1;
    if ((value = take_value("--timeout", argc, argv, index)))
        return take_number("--timeout", value, TIMEOUT_MOST_S, &options->timeout_s, err) < 0 ? -1
                                                                                             : 1;
    return 0;
}

static int
take_word(const struct command_row **row, struct command_options *options, const char *word,
          struct err *err)
{
    if (!*row) {
        *row = command_find(word);
        return *row ? 0
                    : err_set(err, ERR_CONFIG, 0, "there is no command %.40s; --help lists them",
                              word);
    }
    if (options->argument || (*row)->argument == ARGUMENT_NONE)
        return err_set(err, ERR_CONFIG, 0, "%.40s: %s takes no more words", word, (*row)->name);
    options->argument = word;
    return 0;
}

static int
check(const struct command_row *row, const struct command_options *options, struct err *err)
{
    bool needed = row->argument == ARGUMENT_NEEDED ||
                  (row->argument == ARGUMENT_OR_WORKER && !options->worker);

    if (needed && !options->argument)
        return err_set(err, ERR_CONFIG, 0, "%s needs more: %s", row->name, row->usage);
    if (options->worker && (row->argument != ARGUMENT_OR_WORKER || options->argument))
        return err_set(err, ERR_CONFIG, 0, "--worker does not go with this");
    if (options->code && strcmp(row->name, "job") != 0)
        return err_set(err, ERR_CONFIG, 0, "--code goes with job only");
    if (options->drop && strcmp(row->name, "dead") != 0)
        return err_set(err, ERR_CONFIG, 0, "--drop goes with dead only");
    return 0;
}

int
options_parse(const struct command_row **row, struct command_options *options,
              struct config *config, int argc, char **argv, struct err *err)
{
    *row = NULL;
    *options = (struct command_options){.limit = DEFAULT_LIMIT, .timeout_s = DEFAULT_TIMEOUT_S};
    for (int index = 1; index < argc;) {
        int taken = take_option(options, argc, argv, &index, err);
        if (taken == 0)
            taken = config_parse_flag(config, CONFIG_ADMIN, argc, argv, &index, err);
        if (taken < 0)
            return -1;
        if (taken > 0)
            continue;
        if (argv[index][0] == '-') /* up to "=": what follows might be secret */
            return err_set(err, ERR_CONFIG, 0,
                           "unknown option %.*s, or it needs a value; see "
                           "--help",
                           (int)strcspn(argv[index], "="), argv[index]);
        if (take_word(row, options, argv[index++], err) < 0)
            return -1;
    }
    if (!*row)
        *row = command_find("status");
    return check(*row, options, err);
}
