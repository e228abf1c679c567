#include "common/config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The first column of options.def. */
enum { API = CONFIG_API, WORKER = CONFIG_WORKER, RUN = CONFIG_RUN, ADMIN = CONFIG_ADMIN };

enum option_type { TYPE_STRING, TYPE_UINT, TYPE_BOOL };

struct option_row {
    const char *name;
    int programs;
    enum option_type type;
    size_t offset; /* in struct config */
    const char *default_text;
    uint64_t minimum, maximum; /* TYPE_UINT */
    const char *unit;          /* TYPE_UINT; may be "" */
    bool secret;
    const char *help;
};

static const struct option_row rows[] = {
#define OPT_STRING(programs, field, name, def, secret, help)                                       \
    {#name, programs, TYPE_STRING, offsetof(struct config, field), def, 0, 0, "", secret, help},
#define OPT_UINT(programs, field, name, def, min, max, unit, help)                                 \
    {#name, programs, TYPE_UINT, offsetof(struct config, field), #def, min, max, unit, 0, help},
#define OPT_BOOL(programs, field, name, def, help)                                                 \
    {#name, programs, TYPE_BOOL, offsetof(struct config, field), #def, 0, 1, "", 0, help},
#include "common/options.def"
#undef OPT_STRING
#undef OPT_UINT
#undef OPT_BOOL
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))
/* Longest flag, with its NUL. */
#define FLAG_SIZE 64

static const struct option_row *
find_row(enum config_program program, const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if ((rows[i].programs & (int)program) && strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

bool
config_parse_uint(const char *text, uint64_t *value)
{
    if (*text == '\0')
        return false;
    uint64_t n = 0;
    for (; *text; text++) {
        if (!isdigit((unsigned char)*text))
            return false;
        uint64_t digit = (uint64_t)(*text - '0');
        if (n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *value = n;
    return true;
}

static int
set_string(const struct option_row *row, char **field, const char *value, struct err *err)
{
    char *copy = strdup(value);
    if (!copy)
        return err_set(err, ERR_SYSTEM, 0, "no memory for setting %s", row->name);
    free(*field);
    *field = copy;
    return 0;
}

static int
set_uint(const struct option_row *row, uint64_t *field, const char *value, struct err *err)
{
    uint64_t number;
    if (!config_parse_uint(value, &number) || number < row->minimum || number > row->maximum)
        return err_set(err, ERR_CONFIG, 0,
                       "%s: \"%s\" is not a whole number from %" PRIu64 " to %" PRIu64 "%s%s",
                       row->name, value, row->minimum, row->maximum, row->unit[0] ? " " : "",
                       row->unit);
    *field = number;
    return 0;
}

static int
set_bool(const struct option_row *row, bool *field, const char *value, struct err *err)
{
    if ((value[0] != '0' && value[0] != '1') || value[1] != '\0')
        return err_set(err, ERR_CONFIG, 0, "%s: \"%s\" is not 0 or 1", row->name, value);
    *field = value[0] == '1';
    return 0;
}

/* The one setter: defaults, environment and flags all come through here. */
static int
set_row(struct config *config, const struct option_row *row, const char *value, struct err *err)
{
    void *field = (char *)config + row->offset;
    switch (row->type) {
    case TYPE_STRING:
        return set_string(row, field, value, err);
    case TYPE_UINT:
        return set_uint(row, field, value, err);
    case TYPE_BOOL:
        return set_bool(row, field, value, err);
    }
    return err_set(err, ERR_CONFIG, 0, "%s has no type", row->name);
}

static int
set_initial(struct config *config, enum config_program program, const struct option_row *row,
            struct err *err)
{
    if (set_row(config, row, row->default_text, err) < 0)
        return err_wrap(err, "default");
    const char *value = getenv(row->name);
    if (!(row->programs & (int)program) || !value || value[0] == '\0')
        return 0;
    return set_row(config, row, value, err) < 0 ? err_wrap(err, "environment") : 0;
}

int
config_init(struct config *config, enum config_program program, struct err *err)
{
    memset(config, 0, sizeof(*config));
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (set_initial(config, program, &rows[i], err) < 0) {
            config_fini(config);
            return -1;
        }
    }
    return 0;
}

int
config_set(struct config *config, enum config_program program, const char *name, const char *value,
           struct err *err)
{
    const struct option_row *row = find_row(program, name);
    if (!row)
        return err_set(err, ERR_CONFIG, 0, "there is no setting %s here", name);
    return set_row(config, row, value, err);
}

struct job_limits
config_job_limits(const struct config *config)
{
    return (struct job_limits){
#define JOB_LIMIT(field, since, least, most, meaning) .field = (uint32_t)(most),
#include "common/job_limits.def"
#undef JOB_LIMIT
    };
}

/* MAX_OUTPUT_BYTES to max-output-bytes. */
static void
flag_of_name(const char *name, char *flag)
{
    size_t i = 0;
    for (; i < FLAG_SIZE - 1 && name[i]; i++)
        flag[i] = name[i] == '_' ? '-' : (char)tolower((unsigned char)name[i]);
    flag[i] = '\0';
}

static const struct option_row *
find_flag(enum config_program program, const char *text, size_t size)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        char flag[FLAG_SIZE];
        flag_of_name(rows[i].name, flag);
        if ((rows[i].programs & (int)program) && strlen(flag) == size &&
            memcmp(flag, text, size) == 0)
            return &rows[i];
    }
    return NULL;
}

int
config_parse_flag(struct config *config, enum config_program program, int argc, char **argv,
                  int *index, struct err *err)
{
    const char *arg = argv[*index];
    if (strncmp(arg, "--", 2) != 0)
        return 0;
    size_t size = strcspn(arg + 2, "=");
    const struct option_row *row = find_flag(program, arg + 2, size);
    if (!row)
        return 0;
    const char *value;
    int used = 1;
    if (arg[2 + size] == '=') {
        value = arg + 2 + size + 1;
    } else if (row->type == TYPE_BOOL) {
        value = "1";
    } else if (*index + 1 < argc) {
        value = argv[*index + 1];
        used = 2;
    } else {
        return err_set(err, ERR_CONFIG, 0, "%s needs a value", arg);
    }
    if (set_row(config, row, value, err) < 0)
        return err_wrap(err, "--%.*s", (int)size, arg + 2);
    *index += used;
    return 1;
}

int
config_parse_flags(struct config *config, enum config_program program, int argc, char **argv,
                   int *index, struct err *err)
{
    while (*index < argc) {
        const char *arg = argv[*index];
        if (arg[0] != '-' || arg[1] == '\0')
            return 0;
        if (strcmp(arg, "--") == 0) {
            (*index)++;
            return 0;
        }
        int taken = config_parse_flag(config, program, argc, argv, index, err);
        if (taken < 0)
            return -1;
        if (taken == 0) /* up to "=", what follows might be meant to be secret */
            return err_set(err, ERR_CONFIG, 0, "unknown option %.*s; --help lists the options",
                           (int)strcspn(arg, "="), arg);
    }
    return 0;
}

static void
print_help_row(const struct option_row *row, FILE *out)
{
    char flag[FLAG_SIZE];
    flag_of_name(row->name, flag);
    fprintf(out, "  --%s%s\n      %s", flag, row->type == TYPE_BOOL ? "[=0|1]" : "=VALUE",
            row->help);
    if (row->type == TYPE_UINT)
        fprintf(out, " From %" PRIu64 " to %" PRIu64 "%s%s.", row->minimum, row->maximum,
                row->unit[0] ? " " : "", row->unit);
    fprintf(out, "\n      Environment %s, default %s.\n", row->name,
            row->default_text[0] ? row->default_text : "empty");
}

void
config_print_help(enum config_program program, FILE *out)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].programs & (int)program)
            print_help_row(&rows[i], out);
}

static void
print_programs(int programs, FILE *out)
{
    static const struct {
        int program;
        const char *name;
    } names[] = {{API, "api"}, {WORKER, "worker"}, {RUN, "run"}, {ADMIN, "admin"}};
    const char *separator = "";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (programs & names[i].program) {
            fprintf(out, "%s%s", separator, names[i].name);
            separator = ", ";
        }
    }
}

/* A "|" in a help sentence would end the cell. */
static void
print_cell(const char *text, FILE *out)
{
    for (; *text; text++)
        fprintf(out, *text == '|' ? "\\%c" : "%c", *text);
}

static void
print_markdown_row(const struct option_row *row, FILE *out)
{
    fprintf(out, "| `%s` | %s%s%s | ", row->name, row->default_text[0] ? "`" : "",
            row->default_text[0] ? row->default_text : "empty", row->default_text[0] ? "`" : "");
    if (row->type == TYPE_UINT)
        fprintf(out, "%" PRIu64 " to %" PRIu64 "%s%s", row->minimum, row->maximum,
                row->unit[0] ? " " : "", row->unit);
    else
        fprintf(out, "%s", row->type == TYPE_BOOL ? "0, 1" : "text");
    fprintf(out, " | ");
    print_programs(row->programs, out);
    fprintf(out, " | ");
    print_cell(row->help, out);
    fprintf(out, " |\n");
}

void
config_print_markdown(FILE *out)
{
    fprintf(out, "| setting | default | allowed | programs | what it is |\n"
                 "| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < ROW_COUNT; i++)
        print_markdown_row(&rows[i], out);
}

void
config_fini(struct config *config)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].type == TYPE_STRING)
            free(*(char **)((char *)config + rows[i].offset));
    memset(config, 0, sizeof(*config));
}
