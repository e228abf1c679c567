#include "worker/wasi/blocks.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "worker/wasi/state.h"

/* Made accessible at a time: few calls, and a job that writes little makes none. */
#define GRANT_BLOCKS 256u

/* Freed blocks that lie side by side, not yet given back. */
static struct {
    uint32_t first;
    uint32_t count;
} freed;

static struct block_pool *
pool(void)
{
    return &wasi_state.blocks;
}

static int
grant(uint32_t count)
{
    struct block_pool *p = pool();

    if (count > p->block_count - p->granted)
        count = p->block_count - p->granted;
    if (count == 0)
        return -1;
    char *start = p->start + (uint64_t)p->granted * WASI_BLOCK_BYTES;
    if (mprotect(start, (size_t)count * WASI_BLOCK_BYTES, PROT_READ | PROT_WRITE) < 0)
        return -1;
    p->granted += count;
    return 0;
}

uint64_t
blocks_needed(uint64_t content_bytes, uint32_t files)
{
    /* Each file's last block may hold one byte. */
    uint64_t blocks = content_bytes / WASI_BLOCK_BYTES + files;
    /* One table for each file of more than one block, and one for each that are full. */
    uint64_t tables = files + blocks / WASI_BLOCKS_PER_TABLE;
    /* Tables of tables only for files that fill a table at least: as many again at the most. */
    return blocks + tables + 2 * (blocks / WASI_BLOCKS_PER_TABLE) + 1;
}

int
blocks_open(uint64_t content_bytes, uint32_t files, struct err *err)
{
    uint64_t blocks = blocks_needed(content_bytes, files);
    if (blocks > UINT32_MAX / 2)
        return err_set(err, ERR_CONFIG, 0, "the limit of writable bytes is too large");
    /* The bitmap follows the blocks, in a mapping of its own for its own rights. */
    size_t bitmap_bytes = (blocks / 64 + 1) * sizeof(uint64_t);
    void *start = mmap(NULL, blocks * WASI_BLOCK_BYTES, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    void *bitmap =
        mmap(NULL, bitmap_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || bitmap == MAP_FAILED)
        return err_set(err, ERR_SYSTEM, errno, "reserving memory for files");
    *pool() = (struct block_pool){
        .start = start,
        .used = bitmap,
        .block_count = (uint32_t)blocks,
    };
    if (grant(GRANT_BLOCKS) < 0)
        return err_set(err, ERR_SYSTEM, errno, "reserving memory for files");
    return 0;
}

/* Searches [from, to) for a free block. */
static uint32_t
find_free(uint32_t from, uint32_t to)
{
    const uint64_t *used = pool()->used;

    for (uint32_t i = from; i < to;) {
        uint64_t word = used[i / 64] | ((1ull << (i % 64)) - 1);
        if (word == UINT64_MAX) {
            i = (i / 64 + 1) * 64;
            continue;
        }
        i = i / 64 * 64 + (uint32_t)__builtin_ctzll(~word);
        return i < to ? i : UINT32_MAX;
    }
    return UINT32_MAX;
}

uint32_t
block_new(void)
{
    struct block_pool *p = pool();

    blocks_flush();
    if (p->in_use == p->granted && grant(GRANT_BLOCKS) < 0)
        return 0;
    uint32_t i = find_free(p->position, p->granted);
    if (i == UINT32_MAX)
        i = find_free(0, p->position);
    p->used[i / 64] |= 1ull << (i % 64);
    p->in_use++;
    p->position = i + 1 < p->granted ? i + 1 : 0;
    return i + 1;
}

void *
block_at(uint32_t block)
{
    return pool()->start + (uint64_t)(block - 1) * WASI_BLOCK_BYTES;
}

void
block_free(uint32_t block)
{
    uint32_t i = block - 1;

    pool()->used[i / 64] &= ~(1ull << (i % 64));
    pool()->in_use--;
    if (freed.count > 0 && i == freed.first + freed.count) {
        freed.count++;
        return;
    }
    blocks_flush();
    freed.first = i;
    freed.count = 1;
}

void
blocks_flush(void)
{
    if (freed.count == 0)
        return;
    char *start = pool()->start + (uint64_t)freed.first * WASI_BLOCK_BYTES;
    size_t size = (size_t)freed.count * WASI_BLOCK_BYTES;
    /* Zeroed pages are promised; by hand when the kernel does not help. */
    if (madvise(start, size, MADV_DONTNEED) < 0)
        memset(start, 0, size);
    freed.count = 0;
}
