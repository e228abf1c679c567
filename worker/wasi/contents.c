/*
 * Blocks are found by a radix tree of tables, each a block of 1,024 block numbers: of height 0
 * for files of one block, and growing at the root. Number 0 is a hole, which reads as zeroes.
 */
#include "worker/wasi/contents.h"

#include <string.h>

#include "worker/wasi/blocks.h"

#define TABLE_BITS 10

_Static_assert(WASI_BLOCKS_PER_TABLE == 1u << TABLE_BITS, "bits of an index into a table");
_Static_assert(WASI_BLOCKS_PER_TABLE * sizeof(uint32_t) == WASI_BLOCK_BYTES, "a table is a block");

/* Blocks below a node of that height. */
static uint64_t
capacity(uint32_t height)
{
    return 1ull << (TABLE_BITS * height);
}

static int
grow_root(struct node *node)
{
    if (node->as.file.root != 0) {
        uint32_t block = block_new();
        if (block == 0)
            return -1;
        uint32_t *table = block_at(block);
        table[0] = node->as.file.root;
        node->as.file.root = block;
    }
    node->as.file.height++;
    return 0;
}

/* Where the number of the file's index-th block stands; NULL for a hole without a table. */
static uint32_t *
find_slot(struct node *node, uint64_t index)
{
    uint32_t *slot = &node->as.file.root;

    if (index >= capacity(node->as.file.height))
        return NULL;
    for (uint32_t height = node->as.file.height; height > 0; height--) {
        if (*slot == 0)
            return NULL;
        uint32_t *table = block_at(*slot);
        slot = &table[(index >> (TABLE_BITS * (height - 1))) % WASI_BLOCKS_PER_TABLE];
    }
    return slot;
}

/* The file's index-th block, made if need be; NULL when there is no memory. */
static char *
make_block(struct node *node, uint64_t index)
{
    while (index >= capacity(node->as.file.height))
        if (grow_root(node) < 0)
            return NULL;
    uint32_t *slot = &node->as.file.root;
    for (uint32_t height = node->as.file.height;; height--) {
        if (*slot == 0)
            *slot = block_new();
        if (*slot == 0)
            return NULL;
        if (height == 0)
            return block_at(*slot);
        uint32_t *table = block_at(*slot);
        slot = &table[(index >> (TABLE_BITS * (height - 1))) % WASI_BLOCKS_PER_TABLE];
    }
}

/* Frees what lies below the slot but its first `keep` blocks. */
static void
trim(uint32_t *slot, uint32_t height, uint64_t keep)
{
    if (*slot == 0 || keep >= capacity(height))
        return;
    if (height > 0) {
        uint32_t *table = block_at(*slot);
        uint64_t each = capacity(height - 1);
        for (uint64_t i = keep / each; i < WASI_BLOCKS_PER_TABLE; i++)
            trim(&table[i], height - 1, i == keep / each ? keep % each : 0);
    }
    if (keep == 0) {
        block_free(*slot);
        *slot = 0;
    }
}

static void
read_block(struct node *node, uint64_t offset, char *buffer, size_t size)
{
    const uint32_t *slot = find_slot(node, offset / WASI_BLOCK_BYTES);

    if (slot == NULL || *slot == 0)
        memset(buffer, 0, size);
    else
        memcpy(buffer, (char *)block_at(*slot) + offset % WASI_BLOCK_BYTES, size);
}

/* How much of [offset, offset + size) lies in the block of offset. */
static size_t
within_block(uint64_t offset, size_t size)
{
    size_t room = WASI_BLOCK_BYTES - offset % WASI_BLOCK_BYTES;

    return size < room ? size : room;
}

size_t
contents_read(uint32_t id, uint64_t offset, char *buffer, size_t size)
{
    struct node *node = node_own(id);
    uint64_t end = node_size(id);

    if (offset >= end)
        return 0;
    if (size > end - offset)
        size = (size_t)(end - offset);
    const char *flat = node == NULL ? wasi_state.tree.start + wasi_state.tree.nodes[id].data_offset
                                    : node->as.file.borrowed;
    if (flat != NULL) {
        memcpy(buffer, flat + offset, size);
        return size;
    }
    for (size_t done = 0, part; done < size; done += part) {
        part = within_block(offset + done, size - done);
        read_block(node, offset + done, buffer + done, part);
    }
    return size;
}

/* Writes to a file that is in blocks and has that size already counted. */
static size_t
write_blocks(struct node *node, uint64_t offset, const char *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        size_t part = within_block(offset + done, size - done);
        char *block = make_block(node, (offset + done) / WASI_BLOCK_BYTES);
        if (block == NULL)
            break;
        memcpy(block + (offset + done) % WASI_BLOCK_BYTES, data + done, part);
        done += part;
    }
    return done;
}

static uint64_t
room_left(void)
{
    uint64_t limit = wasi_state.config.work_limit_bytes;

    return wasi_state.used_bytes < limit ? limit - wasi_state.used_bytes : 0;
}

static void
set_size(struct node *node, uint64_t size)
{
    wasi_state.used_bytes += size - node->as.file.size;
    node->as.file.size = size;
}

/* Copies borrowed contents before they are written to. */
static enum wasi_errno
make_own(struct node *node)
{
    const char *data = node->as.file.borrowed;
    uint64_t size = node->as.file.size;

    if (data == NULL)
        return WASI_OK;
    if (size > room_left())
        return WASI_ENOSPC;
    if (write_blocks(node, 0, data, size) < size) {
        trim(&node->as.file.root, node->as.file.height, 0);
        blocks_flush();
        node->as.file.height = 0;
        return WASI_ENOSPC;
    }
    node->as.file.borrowed = NULL;
    wasi_state.used_bytes += size;
    return WASI_OK;
}

enum wasi_errno
contents_write(struct node *node, uint64_t offset, const char *data, size_t size, size_t *written)
{
    enum wasi_errno error = make_own(node);

    if (error != WASI_OK)
        return error;
    uint64_t most = node->as.file.size + room_left();
    if (offset >= most && offset + size > node->as.file.size)
        return WASI_ENOSPC;
    if (size > most - offset)
        size = (size_t)(most - offset);
    size_t done = write_blocks(node, offset, data, size);
    if (done == 0)
        return WASI_ENOSPC;
    if (offset + done > node->as.file.size)
        set_size(node, offset + done);
    *written = done;
    return WASI_OK;
}

/* What lies behind the end must read as zeroes when the file grows again. */
static void
clear_tail(struct node *node, uint64_t size)
{
    const uint32_t *slot = find_slot(node, size / WASI_BLOCK_BYTES);
    size_t in_block = size % WASI_BLOCK_BYTES;

    if (in_block != 0 && slot != NULL && *slot != 0)
        memset((char *)block_at(*slot) + in_block, 0, WASI_BLOCK_BYTES - in_block);
}

/* A short file has no tall tree: blocks_needed() counts on it. */
static void
lower_root(struct node *node, uint64_t blocks)
{
    while (node->as.file.height > 0 && blocks <= capacity(node->as.file.height - 1)) {
        uint32_t root = node->as.file.root;
        if (root != 0) {
            node->as.file.root = *(uint32_t *)block_at(root);
            block_free(root);
        }
        node->as.file.height--;
    }
}

enum wasi_errno
contents_resize(struct node *node, uint64_t size)
{
    if (size <= node->as.file.size && node->as.file.borrowed != NULL) {
        node->as.file.size = size;
        return WASI_OK;
    }
    enum wasi_errno error = make_own(node);
    if (error != WASI_OK)
        return error;
    if (size > node->as.file.size) {
        if (size - node->as.file.size > room_left())
            return WASI_ENOSPC;
    } else {
        uint64_t keep = (size + WASI_BLOCK_BYTES - 1) / WASI_BLOCK_BYTES;
        trim(&node->as.file.root, node->as.file.height, keep);
        lower_root(node, keep);
        blocks_flush();
        clear_tail(node, size);
    }
    set_size(node, size);
    return WASI_OK;
}

void
contents_free(struct node *node)
{
    if (node->as.file.borrowed == NULL)
        contents_resize(node, 0);
    node->as.file.borrowed = NULL;
    node->as.file.size = 0;
}

void
contents_borrow(struct node *node, const char *data, uint64_t size)
{
    node->as.file.borrowed = size > 0 ? data : NULL;
    node->as.file.size = size;
}

const char *
contents_target(uint32_t id, size_t *size)
{
    const struct node *node = node_own(id);

    *size = (size_t)node_size(id);
    if (node == NULL)
        return wasi_state.tree.start + wasi_state.tree.nodes[id].data_offset;
    return block_at(node->as.file.root);
}
