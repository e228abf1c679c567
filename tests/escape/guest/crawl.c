#include "tests/escape/guest/crawl.h"

#include <string.h>

#include "tests/escape/guest/door_calls.h"
#include "worker/job_memory.h"

#define SLOTS          (1u << 17)
#define PAGES_MAX      (SLOTS / 2)
#define USER_SPACE_END UINT64_C(0x7ffffffff000)
#define WORDS_IN_PAGE  (PAGE_BYTES / sizeof(uint64_t))

/* Pages looked at: a hash table, and those among them that can be read, in order. */
static uint64_t seen[SLOTS];
static uint64_t readable[PAGES_MAX];
static uint32_t seen_count, readable_count;

static uint64_t page[WORDS_IN_PAGE];

/* True when the page had not been seen. */
static bool
see(uint64_t address)
{
    uint32_t slot = (uint32_t)((address / PAGE_BYTES * UINT64_C(0x9e3779b97f4a7c15)) >> 40) % SLOTS;

    for (; seen[slot] != 0; slot = (slot + 1) % SLOTS)
        if (seen[slot] == address)
            return false;
    if (seen_count >= PAGES_MAX)
        return false;
    seen_count++;
    seen[slot] = address;
    return true;
}

/* False at the end of a run of readable pages, or at one that is known. */
static bool
add_page(uint64_t address)
{
    if (address < PAGE_BYTES || address >= USER_SPACE_END || !see(address) ||
        readable_count == PAGES_MAX || !host_is_readable(address))
        return false;
    readable[readable_count++] = address;
    return true;
}

static void
add_run(uint64_t address)
{
    address -= address % PAGE_BYTES;
    if (!add_page(address))
        return;
    for (uint64_t at = address + PAGE_BYTES; add_page(at);)
        at += PAGE_BYTES;
    for (uint64_t at = address - PAGE_BYTES; add_page(at);)
        at -= PAGE_BYTES;
}

static void
forget_all(void)
{
    memset(seen, 0, sizeof(seen));
    seen_count = readable_count = 0;
}

static bool
looks_like_header(uint64_t address)
{
    struct job_memory_header header;

    if (address % PAGE_BYTES != 0 || address < PAGE_BYTES || address >= USER_SPACE_END ||
        !host_is_readable(address))
        return false;
    host_read(&header, address, sizeof(header));
    return header.version == JOB_MEMORY_VERSION && header.input_offset == JOB_MEMORY_HEADER_BYTES &&
           header.total_bytes % PAGE_BYTES == 0 && header.total_bytes > header.output_capacity;
}

/* The program has a pointer to it among its data, which lie beside its code. */
uint64_t
crawl_find_header(void)
{
    forget_all();
    add_run(door(DOOR_WHERE, DOOR_WHERE_CODE, NULL));
    for (uint32_t i = 0; i < readable_count; i++) {
        host_read(page, readable[i], PAGE_BYTES);
        for (size_t w = 0; w < WORDS_IN_PAGE; w++)
            if (looks_like_header(page[w]))
                return page[w];
    }
    return 0;
}

static uint64_t
count_secret(const uint8_t *bytes, const uint8_t *secret, size_t secret_bytes)
{
    uint64_t count = 0;

    for (size_t i = 0; i + secret_bytes <= PAGE_BYTES; i++) {
        size_t same = 0;
        while (same < secret_bytes && (bytes[i + same] ^ CRAWL_VEIL) == secret[same])
            same++;
        count += same == secret_bytes;
    }
    return count;
}

struct crawl_result
crawl(const uint8_t *secret, size_t secret_bytes)
{
    struct crawl_result result = {0};
    uint64_t buffer = host_address(page) - host_address(page) % PAGE_BYTES;

    forget_all();
    add_run(door(DOOR_WHERE, DOOR_WHERE_CODE, NULL));
    add_run(door(DOOR_WHERE, DOOR_WHERE_STACK, NULL));
    add_run(host_address(page));
    /* The list grows while it is walked. */
    for (uint32_t i = 0; i < readable_count; i++) {
        if (readable[i] == buffer || readable[i] == buffer + PAGE_BYTES)
            continue;
        host_read(page, readable[i], PAGE_BYTES);
        result.found += count_secret((const uint8_t *)page, secret, secret_bytes);
        for (size_t w = 0; w < WORDS_IN_PAGE; w++)
            if (page[w] >= PAGE_BYTES && page[w] < USER_SPACE_END)
                add_run(page[w]);
    }
    result.pages = readable_count;
    return result;
}
