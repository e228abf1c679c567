/*
 * What the engine's and the WASI host's callbacks mean depends on which process is asking: the
 * zygote while it boots, or a job process. Each has a role; the fork swaps them.
 */
#ifndef RETORT_SANDBOX_ROLE_H
#define RETORT_SANDBOX_ROLE_H

#include <stddef.h>
#include <stdint.h>

#include "worker/engine/engine.h"

struct sandbox_role {
    void (*write)(int stream, const void *data, size_t size); /* stream 0 or 1 */
    /* The guest is done. */
    __attribute__((noreturn)) void (*exit)(uint32_t code);
    __attribute__((noreturn)) void (*trap)(enum engine_trap trap);
    void (*memory_refused)(void);
    void (*memory_fatal)(void);
};

/* The role of this process. Set once by boot_run(), once more by job_begin(). */
extern const struct sandbox_role *sandbox_role;

#endif
