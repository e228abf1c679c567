/*
 * Settings, from flags over environment over default; the rows are in options.def.
 *
 *     struct config config;
 *     int index = 1;
 *     if (config_init(&config, CONFIG_API, &err) < 0 ||
 *         config_parse_flags(&config, CONFIG_API, argc, argv, &index, &err) < 0) ...
 *
 * An unknown flag, rubbish, a sign, a suffix, a value out of range: an error that names the
 * setting, the value (unless it is a secret) and what is allowed. An environment variable set to
 * the empty string counts as not set.
 */
#ifndef RETORT_CONFIG_H
#define RETORT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"
#include "common/job.h"

enum config_program {
    CONFIG_API = 1,
    CONFIG_WORKER = 2,
    CONFIG_RUN = 4,
    CONFIG_ADMIN = 8,
};

struct config {
#define OPT_STRING(programs, field, name, def, secret, help)       char *field;
#define OPT_UINT(programs, field, name, def, min, max, unit, help) uint64_t field;
#define OPT_BOOL(programs, field, name, def, help)                 bool field;
#include "common/options.def"
#undef OPT_STRING
#undef OPT_UINT
#undef OPT_BOOL
};

/* Defaults, then the environment. Owns its strings: config_fini(). */
int config_init(struct config *config, enum config_program program, struct err *err);
/*
 * The flag at argv[*index], for programs that have flags of their own beside these: --name=value or
 * --name value; --name alone sets a switch to 1. Returns 1 and moves *index past it, 0 when it is
 * none of this table's, -1 on error.
 */
int config_parse_flag(struct config *config, enum config_program program, int argc, char **argv,
                      int *index, struct err *err);
/*
 * Consumes all leading flags of argv from *index on; stops at the first argument that is not a
 * flag ("-" is none), or after "--". Unknown flag: error.
 */
int config_parse_flags(struct config *config, enum config_program program, int argc, char **argv,
                       int *index, struct err *err);
/* Digits only: no sign, no blank, no suffix, no other base. False also when it exceeds 64 bits. */
bool config_parse_uint(const char *text, uint64_t *value);
/* All that a job may have by these settings: the column `most` of job_limits.def. */
struct job_limits config_job_limits(const struct config *config);
/* Sets one by its NAME (MAX_OUTPUT_BYTES). */
int config_set(struct config *config, enum config_program program, const char *name,
               const char *value, struct err *err);
/* The rows of program as aligned text for --help, or as a Markdown table for the README. */
void config_print_help(enum config_program program, FILE *out);
void config_print_markdown(FILE *out);
void config_fini(struct config *config);

#endif
