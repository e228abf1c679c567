/* What an escaped program can find out about the process it is in, by reading its memory. */
#ifndef RETORT_TESTS_ESCAPE_GUEST_CRAWL_H
#define RETORT_TESTS_ESCAPE_GUEST_CRAWL_H

#include <stddef.h>
#include <stdint.h>

/* The memory shared with the worker, by the look of its header; 0 when it is not found. */
uint64_t crawl_find_header(void);

struct crawl_result {
    uint64_t pages; /* that could be read */
    uint64_t found; /* how often the secret stands there, but for the guest's own copies */
};

/*
 * Reads every page that can be read and that some word somewhere points at, and the pages beside
 * it. secret: each byte xor CRAWL_VEIL, so that what is searched for is not found in the search.
 */
#define CRAWL_VEIL 0x5a
struct crawl_result crawl(const uint8_t *secret, size_t secret_bytes);

#endif
