/* The command line: settings and options anywhere, one command, what it takes. */
#ifndef RETORT_OPTIONS_H
#define RETORT_OPTIONS_H

#include "admin/command.h"

/* row: the command. -1: CONFIG, one sentence. Borrows from argv. */
int options_parse(const struct command_row **row, struct command_options *options,
                  struct config *config, int argc, char **argv, struct err *err);

#endif
