#include "worker/sandbox/pages.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ /* Linux 5.14; not yet in every libc */
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

#define HOST_PAGE_BYTES   UINT64_C(4096)
#define ENTRIES_AT_A_TIME 512
#define MAPS_LINES_MAX    4096
/* Larger is no program's memory (but a sanitizer's shadow, say), and takes long to look at. */
#define MAPPING_MAX_BYTES (UINT64_C(8) << 30)
/* Reading brings in the neighbours of a page of a file too, so small gaps cost nothing. */
#define READ_GAP_BYTES    (16 * HOST_PAGE_BYTES)

/* Bits of an entry of /proc/PID/pagemap. */
#define ENTRY_PRESENT   (UINT64_C(1) << 63)
#define ENTRY_FILE      (UINT64_C(1) << 61)
#define ENTRY_EXCLUSIVE (UINT64_C(1) << 56)

struct mapping {
    uint64_t start, end;
    bool writable;
};

void
pages_open_sources(struct page_sources *sources, int proc_fd)
{
    sources->maps_fd = openat(proc_fd, "self/maps", O_RDONLY | O_CLOEXEC);
    sources->pagemap_fd = openat(proc_fd, "self/pagemap", O_RDONLY | O_CLOEXEC);
}

static void
add_page(struct page_list *list, uint64_t address, int advice)
{
    struct page_run *last = list->count > 0 ? &list->runs[list->count - 1] : NULL;
    uint64_t gap = advice == MADV_POPULATE_READ ? READ_GAP_BYTES : 0;

    if (last != NULL && last->advice == advice && address >= last->start &&
        address <= last->start + last->bytes + gap) {
        last->bytes = address + HOST_PAGE_BYTES - last->start;
        return;
    }
    if (list->count < PAGE_RUNS_MAX)
        list->runs[list->count++] =
            (struct page_run){.start = address, .bytes = HOST_PAGE_BYTES, .advice = advice};
}

/* A page that is ours alone was copied or made since the fork; a file's was mapped since. */
static void
learn_page(struct page_list *list, const struct mapping *mapping, uint64_t address, uint64_t entry)
{
    if (!(entry & ENTRY_PRESENT))
        return;
    if (entry & ENTRY_FILE)
        add_page(list, address, MADV_POPULATE_READ);
    else if (mapping->writable && (entry & ENTRY_EXCLUSIVE))
        add_page(list, address, MADV_POPULATE_WRITE);
}

static void
learn_mapping(int pagemap_fd, const struct mapping *mapping, struct page_list *list)
{
    uint64_t entries[ENTRIES_AT_A_TIME];

    for (uint64_t at = mapping->start; at < mapping->end;) {
        uint64_t pages = (mapping->end - at) / HOST_PAGE_BYTES;
        if (pages > ENTRIES_AT_A_TIME)
            pages = ENTRIES_AT_A_TIME;
        ssize_t got = pread(pagemap_fd, entries, pages * sizeof(entries[0]),
                            (off_t)(at / HOST_PAGE_BYTES * sizeof(entries[0])));
        if (got <= 0)
            return;
        for (size_t i = 0; i < (size_t)got / sizeof(entries[0]); i++)
            learn_page(list, mapping, at + i * HOST_PAGE_BYTES, entries[i]);
        at += (uint64_t)got / sizeof(entries[0]) * HOST_PAGE_BYTES;
    }
}

/* False for what needs no help: unreadable (a reservation), shared, or the kernel's own. */
static bool
parse_mapping(const char *line, struct mapping *mapping)
{
    char rights[5];

    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &mapping->start, &mapping->end, rights) != 3)
        return false;
    if (mapping->end - mapping->start > MAPPING_MAX_BYTES)
        return false;
    mapping->writable = rights[1] == 'w';
    return rights[0] == 'r' && rights[3] == 'p' && strstr(line, "[v") == NULL;
}

void
pages_learn(const struct page_sources *sources, struct page_list *list)
{
    char line[512];
    struct mapping mapping;

    list->count = 0;
    FILE *maps =
        sources->maps_fd >= 0 && sources->pagemap_fd >= 0 ? fdopen(sources->maps_fd, "r") : NULL;
    if (maps == NULL)
        return;
    for (int i = 0; i < MAPS_LINES_MAX && fgets(line, sizeof(line), maps) != NULL; i++)
        if (parse_mapping(line, &mapping))
            learn_mapping(sources->pagemap_fd, &mapping, list);
    fclose(maps);
}

void
pages_bring_in(const struct page_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        (void)madvise((void *)(uintptr_t)list->runs[i].start, list->runs[i].bytes,
                      list->runs[i].advice);
}
