/*
 * Memory for the contents of writable files: 4 KiB blocks out of one reserved range of addresses.
 *
 * The range is reserved without access rights before the guest boots, made accessible as it
 * fills, and given back by madvise() when files shrink: a job process needs no other call to the
 * kernel for its files, and a refused one is "no space left" for the guest.
 */
#ifndef RETORT_WASI_BLOCKS_H
#define RETORT_WASI_BLOCKS_H

#include <stdint.h>

#include "common/err.h"

/*
 * The most blocks that such contents take, however they are spread: with what they need, no file
 * is refused for want of blocks that the limits allow.
 */
uint64_t blocks_needed(uint64_t content_bytes, uint32_t files);
/* Reserves room for that many content bytes in that many files. */
int blocks_open(uint64_t content_bytes, uint32_t files, struct err *err);

/* A zeroed block's number, or 0 when there is none to be had. */
uint32_t block_new(void);
void *block_at(uint32_t block);
/* The memory goes back to the kernel with blocks_flush() or the next block_new(). */
void block_free(uint32_t block);
void blocks_flush(void);

#endif
