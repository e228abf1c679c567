#include "worker/cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Splits text at spaces into a NULL-terminated list, as the setting is documented: no quoting. */
static int
split_args(struct cli_options *options, const char *text)
{
    size_t most = strlen(text) / 2 + 2;

    options->runtime_args = calloc(most, sizeof(char *));
    options->runtime_args_count = 0;
    if (!options->runtime_args)
        return -1;
    for (const char *word = text + strspn(text, " "); *word; word += strspn(word, " ")) {
        size_t length = strcspn(word, " ");
        char *copy = strndup(word, length);
        if (!copy)
            return -1;
        options->runtime_args[options->runtime_args_count++] = copy;
        word += length;
    }
    return 0;
}

static int
parse_uid(const char *text, uid_t *uid, struct err *err)
{
    char *end;

    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || *text < '0' || *text > '9' || *end || value == 0 || value > INT_MAX)
        return err_set(err, ERR_CONFIG, 0, "--uid %s: must be a number from 1 to %d", text,
                       INT_MAX);
    *uid = (uid_t)value;
    return 0;
}

static void
free_args(char **args)
{
    for (size_t i = 0; args && args[i]; i++)
        free(args[i]);
    free(args);
}

static int
replace(char **field, const char *value, struct err *err)
{
    free(*field);
    *field = strdup(value);
    return *field ? 0 : err_set(err, ERR_SYSTEM, ENOMEM, "reading the command line");
}

static int
set_option(struct cli_options *options, int option, const char *value, struct err *err)
{
    switch (option) {
    case 'z':
        return 0;
    case 'r':
        return replace(&options->runtime, value, err);
    case 'm':
        return replace(&options->module, value, err);
    case 'a':
        free_args(options->runtime_args);
        if (split_args(options, value) < 0)
            return err_set(err, ERR_SYSTEM, ENOMEM, "reading the command line");
        return 0;
    case 'n':
        options->isolated = false;
        return 0;
    case 'u':
        return parse_uid(value, &options->uid, err);
    default:
        return err_set(err, ERR_CONFIG, 0,
                       "usage: retort-cli-zygote --zygote --runtime NAME --module FILE "
                       "[--runtime-args ARGS] [--no-isolated] [--uid N]");
    }
}

int
cli_options_parse(struct cli_options *options, int argc, char **argv, struct err *err)
{
    static const struct option known[] = {
        {"zygote", no_argument, NULL, 'z'},
        {"runtime", required_argument, NULL, 'r'},
        {"runtime-args", required_argument, NULL, 'a'},
        {"module", required_argument, NULL, 'm'},
        {"no-isolated", no_argument, NULL, 'n'},
        {"uid", required_argument, NULL, 'u'},
        {NULL, 0, NULL, 0},
    };
    int option;

    *options = (struct cli_options){.isolated = true};
    if (set_option(options, 'r', "wasmtime", err) < 0 || set_option(options, 'a', "", err) < 0)
        return -1;
    opterr = 0;
    optind = 0; /* glibc: scan anew, so that tests may call this more than once */
    while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
        if (set_option(options, option, optarg, err) < 0)
            return -1;
    }
    if (!options->module || !*options->module)
        return err_set(err, ERR_CONFIG, 0, "--module is missing: which python.wasm should run?");
    return 0;
}

/* A regular file that we may execute, at directory/name. NULL when there is none. */
static char *
executable_in(const char *directory, size_t length, const char *name)
{
    struct stat st;
    char *path;

    if (asprintf(&path, "%.*s/%s", (int)length, length ? directory : ".", name) < 0)
        return NULL;
    if (access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
        return path;
    free(path);
    return NULL;
}

static char *
find_in_path(const char *name)
{
    const char *path = getenv("PATH");

    for (const char *part = path ? path : "/usr/local/bin:/usr/bin:/bin"; *part;) {
        size_t length = strcspn(part, ":");
        char *found = executable_in(part, length, name);
        if (found)
            return found;
        part += length + (part[length] == ':');
    }
    return NULL;
}

/* The runtime is started in another directory than ours. */
static int
make_absolute(char **path, struct err *err)
{
    char *directory, *absolute;

    if (**path == '/')
        return 0;
    directory = getcwd(NULL, 0);
    if (!directory)
        return err_set(err, ERR_SYSTEM, errno, "asking for the current directory");
    int length = asprintf(&absolute, "%s/%s", directory, *path);
    free(directory);
    if (length < 0)
        return err_set(err, ERR_SYSTEM, ENOMEM, "naming %s", *path);
    free(*path);
    *path = absolute;
    return 0;
}

static int
resolve_runtime(struct cli_options *options, struct err *err)
{
    if (!strchr(options->runtime, '/')) {
        char *found = find_in_path(options->runtime);
        if (!found)
            return err_set(err, ERR_CONFIG, 0,
                           "PYTHON_WASM_RUNTIME: no command \"%s\" in PATH that user id %u may "
                           "execute",
                           options->runtime, (unsigned)geteuid());
        free(options->runtime);
        options->runtime = found;
        return 0;
    }
    if (access(options->runtime, X_OK) < 0)
        return err_set(err, ERR_CONFIG, errno, "PYTHON_WASM_RUNTIME: user id %u may not execute %s",
                       (unsigned)geteuid(), options->runtime);
    return 0;
}

int
cli_options_resolve(struct cli_options *options, struct err *err)
{
    struct stat st;

    if (resolve_runtime(options, err) < 0)
        return -1;
    if (stat(options->module, &st) < 0 || access(options->module, R_OK) < 0)
        return err_set(err, ERR_CONFIG, errno, "PYTHON_WASM_PATH: user id %u may not read %s",
                       (unsigned)geteuid(), options->module);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_CONFIG, 0, "PYTHON_WASM_PATH: %s is not a file", options->module);
    return make_absolute(&options->runtime, err) < 0 ? -1 : make_absolute(&options->module, err);
}

void
cli_options_fini(struct cli_options *options)
{
    free(options->runtime);
    free(options->module);
    free_args(options->runtime_args);
    *options = (struct cli_options){0};
}
