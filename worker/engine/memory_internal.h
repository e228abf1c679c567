/* What worker/engine/ shares among its own files. */
#ifndef RETORT_ENGINE_MEMORY_INTERNAL_H
#define RETORT_ENGINE_MEMORY_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "worker/engine/engine.h"

/*
 * A 32-bit address plus a 32-bit offset plus the size of one access stays below this, so no load
 * or store of the generated code can leave the reservation.
 */
#define ENGINE_RESERVED_BYTES ((UINT64_C(8) << 30) + ENGINE_PAGE_BYTES)

/* Reserves the address space and makes the initial pages writable. Once per process. */
int engine_memory_map(struct err *err);

/* Does that host address belong to the reservation, or to the unmapped pages below it? */
bool engine_memory_reserves(uint64_t host_address);

/*
 * Makes linear memory larger by whole pages that cannot be accessed and do not count towards the
 * limit. Returns the linear address of the first, or 0.
 */
uint32_t engine_memory_reserve(uint64_t bytes);
/*
 * Makes memory readable and writable that was reserved, there or elsewhere, and counts it. False
 * when the limit forbids it, or the kernel. Callable in a signal handler.
 */
bool engine_memory_grant(uint8_t *start, uint64_t bytes);
/* The host address of one in linear memory, whether it can be accessed or not. */
uint8_t *engine_memory_host(uint64_t linear_address);

/* Installs the signal handlers and their stack; raises RLIMIT_STACK. Once per process. */
int engine_trap_install(struct err *err);

#endif
