#include "worker/run/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Longest flag of a limit, with its NUL. */
#define FLAG_SIZE 48

static const char help_head[] =
    "retort-run [flags] FILE.py [args...]      run a program\n"
    "retort-run [flags] -c CODE [args...]      run the text CODE\n"
    "retort-run [flags] - [args...]            run the program on standard input\n"
    "retort-run [flags] --image IMAGE args...  run another image's module\n"
    "\n"
    "Runs a program in the sandbox. Standard input is read to its end first (unless it is a\n"
    "terminal or the program itself); standard output, standard error and the exit code are the\n"
    "program's.\n"
    "\n"
    "  --json               print the whole result as JSON instead; exit 0 if there is one\n"
    "  --file HOST[::NAME]  copy a host file to /work/NAME (its own name without one); may be\n"
    "                       given several times\n"
    "  --outputs DIR        write what the program leaves in /work/outputs below DIR, which is "
    "made\n"
    "                       if need be; what is there already is never overwritten\n"
    "  --dir HOST::GUEST    copy a host directory into the program's tree (links are left out);\n"
    "                       may be given several times\n"
    "  --env NAME=VALUE     a variable of another image's module; may be given several times\n"
    "  --help               this text\n";

struct limit_row {
    const char *name, *meaning;
    size_t offset;
    uint32_t least;
};

static const struct limit_row limit_rows[] = {
#define JOB_LIMIT(field, since, least, most, meaning)                                              \
    {#field, meaning, offsetof(struct job_limits, field), least},
#include "common/job_limits.def"
#undef JOB_LIMIT
};
#define LIMIT_COUNT (sizeof(limit_rows) / sizeof(limit_rows[0]))

static const char help_tail[] =
    "\n"
    "Exit codes: the program's own, or\n"
    "  2    the command line is not valid, a file cannot be read or written, or a layer is\n"
    "       missing that REQUIRE_ISOLATION names\n"
    "  124  stopped at the wall-clock or CPU-time limit\n"
    "  125  the sandbox failed\n"
    "  137  died for want of memory\n"
    "  128+n  crashed: signal n, or a trap (n is 4)\n";

/* cpu_ms to cpu-ms, in flag, which it returns. */
static const char *
flag_of(const struct limit_row *row, char flag[FLAG_SIZE])
{
    snprintf(flag, FLAG_SIZE, "%s", row->name);
    for (char *at = flag; *at != '\0'; at++)
        if (*at == '_')
            *at = '-';
    return flag;
}

void
run_options_print_help(FILE *out)
{
    fputs(help_head, out);
    fputs("\nLimits of this program, each at most the setting's:\n\n", out);
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        char flag[FLAG_SIZE];
        fprintf(out, "  --%s=N\n      %s\n", flag_of(&limit_rows[i], flag), limit_rows[i].meaning);
    }
    fputs("\nSettings, as flags or in the environment:\n\n", out);
    config_print_help(CONFIG_RUN, out);
    fputs(help_tail, out);
}

static int
add_dir(struct run_options *options, const char *value, struct err *err)
{
    const char *separator = strstr(value, "::");

    if (separator == NULL || separator == value || separator[2] == '\0')
        return err_set(err, ERR_INVALID, 0, "--dir %s: not HOST::GUEST", value);
    ((const char **)(uintptr_t)options->dirs)[options->dir_count++] = value;
    return 0;
}

static int
add_env(struct run_options *options, const char *value, struct err *err)
{
    const char *equals = strchr(value, '=');

    if (equals == NULL || equals == value)
        return err_set(err, ERR_INVALID, 0, "--env %s: not NAME=VALUE", value);
    ((const char **)(uintptr_t)options->envs)[options->env_count++] = value;
    return 0;
}

static int
add_file(struct run_options *options, const char *value, struct err *err)
{
    const char *separator = strstr(value, "::");

    if (value[0] == '-' && (value[1] == '\0' || separator == value + 1))
        return err_set(err, ERR_INVALID, 0, "--file %s: standard input is the program's", value);
    if (value[0] == '\0' || separator == value || (separator != NULL && separator[2] == '\0'))
        return err_set(err, ERR_INVALID, 0, "--file %s: not HOST or HOST::NAME", value);
    ((const char **)(uintptr_t)options->files)[options->file_count++] = value;
    return 0;
}

/* The value of the flag at argv[*index], which stands alone or ends in =value. */
static const char *
value_of(const char *name, int argc, char **argv, int *index, struct err *err)
{
    size_t length = strlen(name);

    if (argv[*index][length] == '=')
        return argv[(*index)++] + length + 1;
    if (*index + 1 >= argc) {
        err_set(err, ERR_INVALID, 0, "%s needs a value", name);
        return NULL;
    }
    *index += 2;
    return argv[*index - 1];
}

static bool
is_flag(const char *argument, const char *name)
{
    size_t length = strlen(name);

    return strncmp(argument, name, length) == 0 &&
           (argument[length] == '\0' || argument[length] == '=');
}

static int
parse_switch(struct run_options *options, const char *argument)
{
    if (strcmp(argument, "--json") == 0)
        options->json = true;
    else if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
        options->help = true;
    else
        return 0;
    return 1;
}

static uint32_t *
limit_of(struct job_limits *limits, const struct limit_row *row)
{
    return (uint32_t *)(void *)((char *)limits + row->offset);
}

/* Kept until the settings, which may come after it, are known. */
static int
set_limit(struct run_options *options, const struct limit_row *row, const char *value,
          struct err *err)
{
    uint64_t number;

    if (!config_parse_uint(value, &number) || number < row->least || number > UINT32_MAX)
        return err_set(err, ERR_INVALID, 0, "%s: \"%s\" is not a whole number from %" PRIu32,
                       row->name, value, row->least);
    *limit_of(&options->limits, row) = (uint32_t)number;
    return 0;
}

/* 1: it was the flag of a limit, 0: it was not. */
static int
parse_limit(struct run_options *options, int argc, char **argv, int *index, struct err *err)
{
    if (strncmp(argv[*index], "--", 2) != 0)
        return 0;
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        char name[FLAG_SIZE + 2] = "--";
        flag_of(&limit_rows[i], name + 2);
        if (!is_flag(argv[*index], name))
            continue;
        const char *value = value_of(name, argc, argv, index, err);
        if (value == NULL || set_limit(options, &limit_rows[i], value, err) < 0)
            return -1;
        return 1;
    }
    return 0;
}

/* More than the setting would be a limit that is not kept: refused rather than lowered. */
static int
settle_limits(struct run_options *options, struct err *err)
{
    struct job_limits most = config_job_limits(&options->config);

    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        uint32_t *limit = limit_of(&options->limits, &limit_rows[i]);
        uint32_t allowed = *limit_of(&most, &limit_rows[i]);
        if (*limit > allowed)
            return err_set(err, ERR_INVALID, 0,
                           "%s: %" PRIu32 " is more than the settings allow, %" PRIu32,
                           limit_rows[i].name, *limit, allowed);
        if (*limit == 0)
            *limit = allowed;
    }
    return 0;
}

/* The flag at argv[*index]. */
static int
parse_one(struct run_options *options, int argc, char **argv, int *index, struct err *err)
{
    if (parse_switch(options, argv[*index])) {
        (*index)++;
        return 0;
    }
    if (is_flag(argv[*index], "--dir")) {
        const char *value = value_of("--dir", argc, argv, index, err);
        return value != NULL ? add_dir(options, value, err) : -1;
    }
    if (is_flag(argv[*index], "--env")) {
        const char *value = value_of("--env", argc, argv, index, err);
        return value != NULL ? add_env(options, value, err) : -1;
    }
    if (is_flag(argv[*index], "--file")) {
        const char *value = value_of("--file", argc, argv, index, err);
        return value != NULL ? add_file(options, value, err) : -1;
    }
    if (is_flag(argv[*index], "--outputs")) {
        options->outputs = value_of("--outputs", argc, argv, index, err);
        return options->outputs != NULL ? 0 : -1;
    }
    int known = parse_limit(options, argc, argv, index, err);
    if (known != 0)
        return known < 0 ? -1 : 0;
    known = config_parse_flag(&options->config, CONFIG_RUN, argc, argv, index, err);
    if (known == 0)
        return err_set(err, ERR_INVALID, 0, "%s: unknown flag; see --help", argv[*index]);
    return known < 0 ? -1 : 0;
}

int
run_options_parse(struct run_options *options, int argc, char **argv, struct err *err)
{
    int index = 1;

    *options = (struct run_options){.json = false};
    if (config_init(&options->config, CONFIG_RUN, err) < 0)
        return -1;
    options->dirs = calloc((size_t)argc + 1, sizeof(*options->dirs));
    options->envs = calloc((size_t)argc + 1, sizeof(*options->envs));
    options->files = calloc((size_t)argc + 1, sizeof(*options->files));
    if (options->dirs == NULL || options->envs == NULL || options->files == NULL)
        return err_set(err, ERR_SYSTEM, ENOMEM, "cannot read the arguments");
    while (index < argc && argv[index][0] == '-' && argv[index][1] != '\0') {
        if (strcmp(argv[index], "--") == 0) {
            index++;
            break;
        }
        if (strcmp(argv[index], "-c") == 0) {
            options->code = value_of("-c", argc, argv, &index, err);
            if (options->code == NULL)
                return -1;
            break;
        }
        if (parse_one(options, argc, argv, &index, err) < 0)
            return -1;
    }
    options->arguments = argv + index;
    return settle_limits(options, err);
}

void
run_options_fini(struct run_options *options)
{
    config_fini(&options->config);
    free((void *)(uintptr_t)options->dirs);
    free((void *)(uintptr_t)options->envs);
    free((void *)(uintptr_t)options->files);
    *options = (struct run_options){.json = false};
}
