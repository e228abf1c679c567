/* What must hold between any two calls of a guest, whatever they were. */
#ifndef RETORT_TEST_WASI_INVARIANTS_H
#define RETORT_TEST_WASI_INVARIANTS_H

#include <stdint.h>

/*
 * Counts anew what the host keeps count of (bytes, blocks, links, descriptors, names, free lists)
 * and walks its lists. NULL, or the sentence that is not true; static.
 */
const char *invariants_broken(void);

/* Entries that were given up when the job began (not free, in no directory); UINT32_MAX: any. */
extern uint32_t invariants_spent_entries;

#endif
