/*
 * Which zygote runs a language: the installed image of that name. Of python there is more to say:
 * IMAGE; else the image made from PYTHON_WASM_PATH; else PYTHON_WASM_PATH in a WASI runtime
 * (retort-cli-zygote); else the installed image.
 */
#ifndef RETORT_ENGINE_CHOICE_H
#define RETORT_ENGINE_CHOICE_H

#include <stdbool.h>

#include "common/config.h"
#include "common/err.h"
#include "common/languages.h"
#include "worker/zygote.h"

#define ENGINE_PYTHON "python"

struct engine_choice {
    const char *language; /* borrowed */
    struct zygote_command command;
    bool cli;     /* the fallback engine */
    char *source; /* the image's directory, or the module's path */
};

/*
 * Owns what it points to: engine_choice_fini(). Blocks on the disk; for start-up. -1: there is no
 * engine; err says what to do.
 */
int engine_choose(struct engine_choice *choice, const struct config *config, const char *language,
                  struct err *err);
void engine_choice_fini(struct engine_choice *choice);

/* One for each of LANGUAGES, in that order. */
struct engines {
    struct languages languages;
    struct engine_choice list[LANGUAGES_MOST]; /* of languages.count */
};

/* All of LANGUAGES, as engine_choose() does one. engines_fini(), also of a zeroed one. */
int engines_choose(struct engines *engines, const struct config *config, struct err *err);
void engines_fini(struct engines *engines);

/*
 * The filter of a process that starts these engines (daemon_filter.h). For good, and before
 * anything is read that others sent. Where the kernel has no seccomp there is none; the layers show
 * it.
 */
void engine_lock_down(const struct engine_choice *choices, size_t count);

#endif
