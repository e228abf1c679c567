/*
 * The commands, one file each; command.def is their table. Each reads what it needs over the
 * session and fills the report, which the caller prints. -1: err says why; what the report has by
 * then is printed all the same.
 */
#ifndef RETORT_COMMAND_H
#define RETORT_COMMAND_H

#include "admin/report.h"
#include "admin/session.h"

/* What follows the command on the line. */
struct command_options {
    bool json, code;
    const char *argument; /* NULL: none */
    const char *worker;   /* --worker; NULL: none */
    const char *drop;     /* --drop; NULL: none */
    uint64_t limit;       /* --limit */
    uint64_t timeout_s;   /* --timeout */
};

struct command {
    struct session *session;
    const struct config *config;
    const struct command_options *options;
    struct report *report;
};

enum command_argument { ARGUMENT_NONE, ARGUMENT_NEEDED, ARGUMENT_OR_WORKER };

struct command_row {
    const char *name;
    int (*run)(struct command *command, struct err *err);
    enum command_argument argument;
    const char *usage, *help;
};

#define COMMAND(name, argument, usage, help)                                                       \
    int command_##name(struct command *command, struct err *err);
#include "admin/command.def"
#undef COMMAND

/* NULL: there is none of that name. */
const struct command_row *command_find(const char *name);
void command_print_help(FILE *out);

#endif
