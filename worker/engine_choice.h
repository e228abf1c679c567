/*
 * Which zygote runs Python: IMAGE; else the image made from PYTHON_WASM_PATH; else
 * PYTHON_WASM_PATH in a WASI runtime (retort-cli-zygote); else the installed Python image.
 */
#ifndef RETORT_ENGINE_CHOICE_H
#define RETORT_ENGINE_CHOICE_H

#include <stdbool.h>

#include "common/config.h"
#include "common/err.h"
#include "worker/zygote.h"

struct engine_choice {
    struct zygote_command command;
    bool cli;     /* the fallback engine */
    char *source; /* the image's directory, or the module's path */
};

/*
 * Owns what it points to: engine_choice_fini(). Blocks on the disk; for start-up. -1: there is no
 * engine; err says what to do.
 */
int engine_choose(struct engine_choice *choice, const struct config *config, struct err *err);
/*
 * The filter of a process that starts this engine (daemon_filter.h). For good, and before anything
 * is read that others sent. Where the kernel has no seccomp there is none; the layers show it.
 */
void engine_lock_down(const struct engine_choice *choice);
void engine_choice_fini(struct engine_choice *choice);

#endif
