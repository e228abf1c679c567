/*
 * Giving back pages that hold only zeroes: each page that is there costs every fork a page table
 * entry, and an interpreter that has booted leaves many behind that it used and cleared.
 *
 * Only resident pages are read (mincore() tells), so that looking does not bring pages in.
 */
#include <string.h>
#include <sys/mman.h>

#include "worker/engine/engine.h"

#define HOST_PAGE_BYTES  4096u
#define PAGES_AT_A_TIME  1024u
#define CHUNK_BYTES      ((uint64_t)HOST_PAGE_BYTES * PAGES_AT_A_TIME)
#define PAGE_IS_RESIDENT 1u

static bool
is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, HOST_PAGE_BYTES - 1) == 0;
}

/* Releases runs of zero pages among those of one chunk. */
static void
release_in_chunk(uint8_t *chunk, size_t bytes)
{
    unsigned char resident[PAGES_AT_A_TIME];
    size_t run_start = 0, run_bytes = 0;

    if (mincore(chunk, bytes, resident) < 0)
        return;
    for (size_t at = 0; at < bytes; at += HOST_PAGE_BYTES) {
        bool wanted = (resident[at / HOST_PAGE_BYTES] & PAGE_IS_RESIDENT) && is_zero(chunk + at);
        if (wanted && run_bytes == 0)
            run_start = at;
        if (wanted)
            run_bytes += HOST_PAGE_BYTES;
        if (run_bytes > 0 && (!wanted || at + HOST_PAGE_BYTES == bytes)) {
            /* Advice: when it is refused the page stays, which is correct too. */
            (void)madvise(chunk + run_start, run_bytes, MADV_DONTNEED);
            run_bytes = 0;
        }
    }
}

void
engine_release_zero_pages(void)
{
    uint8_t *base = (uint8_t *)(uintptr_t)engine_module.memory_base;
    uint64_t end = engine_memory_bytes();

    for (uint64_t at = engine_module.unmapped_low_bytes; at < end; at += CHUNK_BYTES) {
        uint64_t bytes = end - at < CHUNK_BYTES ? end - at : CHUNK_BYTES;
        release_in_chunk(base + at, (size_t)bytes);
    }
}
