/* The command line of retort-run. */
#ifndef RETORT_RUN_OPTIONS_H
#define RETORT_RUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/config.h"
#include "common/err.h"

struct run_options {
    struct config config;
    struct job_limits limits; /* the settings', lowered by the flags of single limits */
    bool help, json;
    const char *code;        /* of -c, or NULL */
    const char *const *dirs; /* HOST::GUEST of each --dir */
    size_t dir_count;
    const char *const *envs; /* NAME=VALUE of each --env */
    size_t env_count;
    const char *const *files; /* HOST or HOST::NAME of each --file */
    size_t file_count;
    const char *outputs;    /* of --outputs, or NULL */
    char *const *arguments; /* NULL-terminated: what follows the flags (and -c CODE) */
};

/* Borrows argv. run_options_fini() also after an error. */
int run_options_parse(struct run_options *options, int argc, char **argv, struct err *err);
void run_options_fini(struct run_options *options);
void run_options_print_help(FILE *out);

#endif
