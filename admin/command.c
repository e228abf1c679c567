#include "admin/command.h"

#include <string.h>

static const struct command_row rows[] = {
#define COMMAND(name, argument, usage, help)                                                       \
    {#name, command_##name, ARGUMENT_##argument, usage, help},
#include "admin/command.def"
#undef COMMAND
};

const struct command_row *
command_find(const char *name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

void
command_print_help(FILE *out)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        fprintf(out, "  %s%s%s\n      %s\n", rows[i].name, *rows[i].usage ? " " : "", rows[i].usage,
                rows[i].help);
}
