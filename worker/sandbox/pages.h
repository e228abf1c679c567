/*
 * The pages that a job process is going to need, learned once from a rehearsal and brought in
 * ahead of time in each process that waits: a page fault costs most when a client waits for it.
 */
#ifndef RETORT_SANDBOX_PAGES_H
#define RETORT_SANDBOX_PAGES_H

#include <stdint.h>

#define PAGE_RUNS_MAX 1024

struct page_run {
    uint64_t start, bytes;
    int advice; /* for madvise(): MADV_POPULATE_READ or MADV_POPULATE_WRITE */
};

struct page_list {
    uint32_t count;
    struct page_run runs[PAGE_RUNS_MAX];
};

/* self/pagemap and self/maps of /proc, opened in time. -1 each: not to be had. */
struct page_sources {
    int maps_fd, pagemap_fd;
};
/* proc_fd: of /proc itself, which need not be below this process's root. */
void pages_open_sources(struct page_sources *sources, int proc_fd);

/*
 * Lists what this process has touched since it was forked: private pages of its own, and pages of
 * files. The list stays empty where /proc does not tell.
 */
void pages_learn(const struct page_sources *sources, struct page_list *list);
/* Brings them in; pages that cannot be (old kernels cannot at all) are left alone. */
void pages_bring_in(const struct page_list *list);

#endif
