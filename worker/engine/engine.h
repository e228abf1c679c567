/*
 * The seam between generated native code and everything else.
 *
 * A code generator's back end (retort-aot's `c`: wasm2c and gcc) links one module's code with
 * libretort-sandbox. One instance per process, its state static. Pattern of use:
 *
 *     engine_load(&err);         map linear memory, fill data segments
 *     engine_set_memory_limit()  any time, also after fork
 *     engine_start();            run _start; ends by wasi proc_exit or returns
 *
 * The zygote, the WASI host and the sandbox know nothing of wasm2c; the generated code knows
 * nothing of them but the functions declared here and the wasi_* functions of
 * worker/wasi/functions.def.
 */
#ifndef RETORT_ENGINE_H
#define RETORT_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define ENGINE_PAGE_BYTES 65536u

/* Facts about the module, written by the back end into the generated code. */
struct engine_module {
    const char *sha256;          /* of the .wasm, lower-case hex */
    uint64_t memory_base;        /* host address of linear address 0; a constant of the code */
    uint32_t initial_pages;      /* 64 KiB each */
    uint32_t maximum_pages;      /* at most 65536 */
    uint32_t unmapped_low_bytes; /* linear addresses below this are never mapped (base 0), or 0 */
    /* Of a module with fibers (worker/engine/fiber.h); otherwise NULL, both. */
    uint32_t *stack_pointer;
    void (*fiber_main)(uint32_t argument);
};

/* Provided by the generated code. */
extern const struct engine_module engine_module;
void engine_module_init(void);  /* globals, tables, data segments; memory is mapped already */
void engine_module_start(void); /* the exported _start */

/* Provided by worker/engine/, called by the host. */
int engine_load(struct err *err);
void engine_start(void);
/* memory.grow beyond this is refused. Rounded down to pages; never below what is mapped now. */
void engine_set_memory_limit(uint64_t bytes);
uint64_t engine_memory_bytes(void); /* current size of linear memory */
/* Gives pages of linear memory that hold only zeroes back to the kernel (cheaper forks). */
void engine_release_zero_pages(void);
/* Joins what is left into huge pages where the kernel will (cheaper forks again). After that. */
void engine_join_pages(void);

enum engine_trap {
    ENGINE_TRAP_NONE = 0,
#define ENGINE_TRAP(symbol, text) ENGINE_TRAP_##symbol,
#include "worker/engine/trap.def"
#undef ENGINE_TRAP
    ENGINE_TRAP_COUNT
};
/* "out of bounds memory access". Static. */
const char *engine_trap_text(enum engine_trap trap);

/* Provided by worker/engine/, called by the generated code. */
uint32_t engine_memory_grow(uint32_t delta_pages); /* old size in pages, or UINT32_MAX */
_Noreturn void engine_trap(enum engine_trap trap);

/*
 * Set by the sandbox before engine_load(): told of a trap (also of faults in linear memory and of
 * stack exhaustion) on the signal stack, must not return; and of a refused memory.grow.
 */
struct engine_hooks {
    void (*on_trap)(enum engine_trap trap);
    void (*on_memory_refused)(void);
};
extern struct engine_hooks engine_hooks;

/*
 * Checked access to linear memory for the WASI host. Returns the host address of [address,
 * address + size), or NULL when any byte of it lies outside (size 0 is inside when address is).
 */
void *engine_memory_at(uint32_t address, uint64_t size);

#endif
