/*
 * Linear memory: one reservation at the address that the generated code has as a constant.
 *
 *     base - or 64 KiB if base is 0                base + 8 GiB + 64 KiB
 *     | never mapped | readable, writable | reserved, PROT_NONE ...... |
 *                    ^ unmapped_low       ^ engine_memory_bytes()
 *
 * Stacks of fibers in it are PROT_NONE but for what has been used of them.
 *
 * Pages become writable as memory.grow grants them and not before, so that RLIMIT_DATA counts
 * them. Everything is private, so a fork shares the pages copy-on-write; nothing here is kept
 * that a fork would make wrong.
 */
#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>

#include "worker/engine/engine.h"
#include "worker/engine/memory_internal.h"
#include "worker/engine/peak.h"

_Atomic uint64_t *engine_memory_peak_bytes;

static uint64_t current_bytes;
static uint64_t limit_bytes = UINT64_MAX;
/* Of stacks: those in linear memory as a whole, and what has been granted of those and others. */
static uint64_t reserved_bytes, stack_bytes;

/* What there is of the guest's memory, here and in native stacks. */
static uint64_t
granted_bytes(void)
{
    return current_bytes - reserved_bytes + stack_bytes;
}

uint8_t *
engine_memory_host(uint64_t linear_address)
{
    return (uint8_t *)(uintptr_t)(engine_module.memory_base + linear_address);
}

static int
make_writable(uint64_t from, uint64_t to)
{
    if (from < engine_module.unmapped_low_bytes)
        from = engine_module.unmapped_low_bytes;
    if (from >= to)
        return 0;
    return mprotect(engine_memory_host(from), to - from, PROT_READ | PROT_WRITE);
}

int
engine_memory_map(struct err *err)
{
    uint64_t low = engine_module.unmapped_low_bytes;
    void *start = engine_memory_host(low);
    void *mapped = mmap(start, ENGINE_RESERVED_BYTES - low, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (mapped != start) {
        int code = mapped == MAP_FAILED ? errno : EEXIST;
        return err_set(err, ERR_SANDBOX_ERROR, code,
                       "cannot reserve 8 GiB for linear memory at address 0x%" PRIx64
                       " (is vm.mmap_min_addr above 65536, or RLIMIT_AS too low?)",
                       engine_module.memory_base + low);
    }
    current_bytes = (uint64_t)engine_module.initial_pages * ENGINE_PAGE_BYTES;
    if (make_writable(0, current_bytes) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno,
                       "cannot make the initial linear memory writable");
    return 0;
}

bool
engine_memory_reserves(uint64_t host_address)
{
    return host_address - engine_module.memory_base < ENGINE_RESERVED_BYTES;
}

void
engine_set_memory_limit(uint64_t bytes)
{
    uint64_t pages = bytes / ENGINE_PAGE_BYTES;
    limit_bytes = pages * ENGINE_PAGE_BYTES;
    if (limit_bytes < granted_bytes())
        limit_bytes = granted_bytes();
}

uint64_t
engine_memory_bytes(void)
{
    return current_bytes;
}

/* ---- growing ---- */

static void
note_peak(void)
{
    if (engine_memory_peak_bytes != NULL)
        atomic_store_explicit(engine_memory_peak_bytes, granted_bytes(), memory_order_relaxed);
}

static bool
refuse(void)
{
    if (engine_hooks.on_memory_refused != NULL)
        engine_hooks.on_memory_refused();
    return false;
}

/* Makes it writable if the limit allows as much again. */
static bool
grant(uint8_t *start, uint64_t bytes)
{
    uint64_t granted = granted_bytes();

    if (granted > limit_bytes || bytes > limit_bytes - granted)
        return refuse();
    if (bytes > 0 && mprotect(start, bytes, PROT_READ | PROT_WRITE) < 0)
        return refuse();
    return true;
}

static bool
fits(uint64_t more_bytes)
{
    uint64_t maximum = (uint64_t)engine_module.maximum_pages * ENGINE_PAGE_BYTES;

    return more_bytes <= maximum - current_bytes || refuse();
}

uint32_t
engine_memory_grow(uint32_t delta_pages)
{
    uint64_t bytes = (uint64_t)delta_pages * ENGINE_PAGE_BYTES;
    uint32_t old_pages = (uint32_t)(current_bytes / ENGINE_PAGE_BYTES);

    if (!fits(bytes) || !grant(engine_memory_host(current_bytes), bytes))
        return UINT32_MAX;
    current_bytes += bytes;
    note_peak();
    return old_pages;
}

uint32_t
engine_memory_reserve(uint64_t bytes)
{
    uint32_t start = (uint32_t)current_bytes;

    if (!fits(bytes))
        return 0;
    current_bytes += bytes;
    reserved_bytes += bytes;
    return start;
}

bool
engine_memory_grant(uint8_t *start, uint64_t bytes)
{
    if (!grant(start, bytes))
        return false;
    stack_bytes += bytes;
    note_peak();
    return true;
}

void *
engine_memory_at(uint32_t address, uint64_t size)
{
    /* What an empty range yields: with base 0, the host address of linear address 0 is NULL. */
    static uint8_t nothing;

    if (address > current_bytes || size > current_bytes - address)
        return NULL;
    if (size == 0)
        return &nothing;
    return address < engine_module.unmapped_low_bytes ? NULL : engine_memory_host(address);
}
