/*
 * Huge pages for linear memory: a fork copies, and an exit drops, the entries of one large page in
 * a batch instead of one by one. Writing in a job still copies 4 KiB at a time. Measured on a
 * booted CPython (11 MiB): 15 % less CPU time for a whole small job.
 */
#include <sys/mman.h>

#include "worker/engine/engine.h"

#ifndef MADV_COLLAPSE /* Linux 6.1; not yet in every libc */
#define MADV_COLLAPSE 25
#endif

#define HOST_PAGE_BYTES  UINT64_C(4096)
#define HUGE_PAGE_BYTES  (UINT64_C(2) << 20)
#define PAGES_IN_HUGE    (HUGE_PAGE_BYTES / HOST_PAGE_BYTES)
#define PAGE_IS_RESIDENT 1u

/* Enough of it is there for the rest to be worth its memory. */
static bool
is_mostly_resident(void *start)
{
    unsigned char resident[PAGES_IN_HUGE];
    unsigned count = 0;

    if (mincore(start, HUGE_PAGE_BYTES, resident) < 0)
        return false;
    for (size_t i = 0; i < PAGES_IN_HUGE; i++)
        count += resident[i] & PAGE_IS_RESIDENT;
    return count > PAGES_IN_HUGE / 2;
}

void
engine_join_pages(void)
{
    uint64_t base = engine_module.memory_base;
    uint64_t first = engine_module.unmapped_low_bytes > 0 ? HUGE_PAGE_BYTES : 0;
    uint64_t end = engine_memory_bytes();

    for (uint64_t at = first; at + HUGE_PAGE_BYTES <= end; at += HUGE_PAGE_BYTES) {
        void *start = (void *)(uintptr_t)(base + at);
        /* Advice: where it is not taken, forks cost what they did. */
        if (is_mostly_resident(start))
            (void)madvise(start, HUGE_PAGE_BYTES, MADV_COLLAPSE);
    }
}
