/*
 * LANGUAGES: which languages a worker serves, each with slots of its own, and which an API wants to
 * be served. "python:2,other" is two slots of python, and as many of other as SLOTS says.
 */
#ifndef RETORT_LANGUAGES_H
#define RETORT_LANGUAGES_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/job.h"

#define LANGUAGES_MOST      16
#define LANGUAGE_SLOTS_MOST 1024

struct language {
    char name[JOB_LANGUAGE_SIZE];
    uint32_t slots; /* 0: none were named */
};

struct languages {
    struct language list[LANGUAGES_MOST];
    size_t count; /* at least 1 */
};

/* -1: err is one sentence that names the setting; *languages is then undefined. */
int languages_parse(struct languages *languages, const char *list, struct err *err);
/* NULL: not one of them. */
const struct language *languages_find(const struct languages *languages, const char *name);

#endif
