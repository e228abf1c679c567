#include "tests/unit/wasi/invariants.h"

#include <string.h>

#include "worker/wasi/blocks.h"
#include "worker/wasi/descriptor.h"
#include "worker/wasi/directory.h"

#define MOST_NODES  1024
#define MOST_BLOCKS 8192

/* What each node was found to have; index 0 is the root. */
static struct found {
    uint32_t links, opens;
    bool free;
} found[MOST_NODES];

uint32_t invariants_spent_entries;

static uint64_t bytes_found;
static uint32_t blocks_found;
static uint8_t block_seen[MOST_BLOCKS];

#define CLAIM(condition, sentence)                                                                 \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return sentence;                                                                       \
    } while (0)

static struct node *
node_at(uint32_t index)
{
    return &wasi_state.nodes[index];
}

static const char *
check_block(uint32_t block, uint32_t height)
{
    const struct block_pool *pool = &wasi_state.blocks;

    if (block == 0)
        return NULL;
    CLAIM(block <= pool->granted, "a file's block lies in the pool");
    uint32_t i = block - 1;
    CLAIM(pool->used[i / 64] >> (i % 64) & 1, "a file's block is in use");
    CLAIM(!block_seen[i], "a block is one file's, and there once");
    block_seen[i] = 1;
    blocks_found++;
    if (height == 0)
        return NULL;
    const uint32_t *table = block_at(block);
    for (uint32_t slot = 0; slot < WASI_BLOCKS_PER_TABLE; slot++) {
        const char *broken = check_block(table[slot], height - 1);
        if (broken != NULL)
            return broken;
    }
    return NULL;
}

static const char *
check_contents(const struct node *node)
{
    if (node->as.file.borrowed != NULL) {
        CLAIM(node->as.file.root == 0, "borrowed contents have no blocks");
        return NULL;
    }
    bytes_found += node->as.file.size;
    return check_block(node->as.file.root, node->as.file.height);
}

static const char *
check_node(uint32_t index)
{
    const struct node *node = node_at(index);
    uint32_t id = NODE_OWN | index;

    if (found[index].free) {
        CLAIM(node->kind == NODE_FREE, "nodes of the free list are free");
        CLAIM(found[index].links == 0 && found[index].opens == 0, "nobody has a free node");
        return NULL;
    }
    CLAIM(node->kind != NODE_FREE, "free nodes are in the free list");
    CLAIM(node->links == found[index].links, "links are as many as names");
    CLAIM(node->opens == found[index].opens, "opens are as many as descriptors");
    CLAIM(node->links > 0 || node->opens > 0, "a node has a name or a descriptor");
    if (node->kind == NODE_FILE || node->kind == NODE_SYMLINK)
        return check_contents(node);
    if (node->kind == NODE_DIRECTORY && node->links == 0) {
        CLAIM(node->as.directory.parent == id, "a removed directory is its own parent");
        CLAIM(node->as.directory.first == 0, "a removed directory is empty");
    }
    return NULL;
}

static const char *
check_entry(uint32_t directory, uint32_t index)
{
    const struct entry *entry = &wasi_state.entries[index];
    struct node *node = node_own(entry->node);

    CLAIM(entry->directory == directory, "an entry knows its directory");
    CLAIM(node != NULL && node->kind != NODE_FREE, "an entry names a node");
    CLAIM(directory_find_entry(directory, entry->name, entry->name_bytes) == index,
          "a name is found, and is there once");
    CLAIM(node->kind != NODE_DIRECTORY || node->as.directory.parent == directory,
          "a directory knows its parent");
    found[entry->node & ~NODE_OWN].links++;
    return NULL;
}

static const char *
check_directory(uint32_t directory, uint32_t *entries)
{
    const struct node *node = node_own(directory);
    uint32_t previous = 0;
    uint64_t serial = 0;

    for (uint32_t i = node->as.directory.first; i != 0; i = wasi_state.entries[i].next) {
        const struct entry *entry = &wasi_state.entries[i];
        CLAIM(++*entries <= wasi_state.entry_count, "the lists of entries have ends");
        CLAIM(entry->previous == previous, "lists go back as they go forth");
        CLAIM(entry->serial > serial, "entries stand in the order of their making");
        const char *broken = check_entry(directory, i);
        if (broken != NULL)
            return broken;
        previous = i;
        serial = entry->serial;
    }
    CLAIM(node->as.directory.last == previous, "a directory knows its last entry");
    return NULL;
}

static const char *
check_directories(void)
{
    uint32_t entries = 1;

    for (uint32_t i = 0; i < wasi_state.node_count; i++) {
        if (node_at(i)->kind != NODE_DIRECTORY)
            continue;
        const char *broken = check_directory(NODE_OWN | i, &entries);
        if (broken != NULL)
            return broken;
        uint32_t steps = 0;
        for (uint32_t up = NODE_OWN | i; directory_parent(up) != up; up = directory_parent(up))
            CLAIM(++steps <= wasi_state.node_count, "upwards there is an end");
    }
    for (uint32_t i = wasi_state.entry_free; i != 0; i = wasi_state.entries[i].chain)
        CLAIM(++entries <= wasi_state.entry_count, "the free list of entries has an end");
    CLAIM(invariants_spent_entries == UINT32_MAX ||
              entries + invariants_spent_entries == wasi_state.entry_count,
          "an entry is in a directory or free");
    return NULL;
}

static const char *
check_descriptors(void)
{
    for (uint32_t fd = 0; fd < WASI_DESCRIPTORS; fd++) {
        const struct descriptor *descriptor = &wasi_state.descriptors[fd];
        if (descriptor->kind != DESCRIPTOR_NODE)
            continue;
        enum node_kind kind = node_kind(descriptor->node);
        CLAIM(kind != NODE_FREE && kind != NODE_SYMLINK, "a descriptor is of what can be open");
        CLAIM((descriptor->rights & ~descriptor_kind_rights(kind)) == 0, "rights fit the kind");
        CLAIM(descriptor->preopen <= wasi_state.preopen_count, "a preopen has a name");
        if (descriptor->node & NODE_OWN)
            found[descriptor->node & ~NODE_OWN].opens++;
    }
    return NULL;
}

static const char *
start_over(void)
{
    uint32_t frees = 0;

    CLAIM(wasi_state.node_count <= MOST_NODES, "the test has room for all nodes");
    CLAIM(wasi_state.blocks.granted <= MOST_BLOCKS, "the test has room for all blocks");
    memset(found, 0, wasi_state.node_count * sizeof(found[0]));
    memset(block_seen, 0, wasi_state.blocks.granted);
    bytes_found = 0;
    blocks_found = 0;
    /* What has no name and was never made by a guest. */
    found[0].links++;
    found[wasi_state.stdin_node & ~NODE_OWN].links++;
    if (wasi_state.job_root != NODE_ROOT)
        found[wasi_state.job_root & ~NODE_OWN].links++;
    for (uint32_t i = wasi_state.node_free; i != 0; i = node_at(i)->as.next_free) {
        CLAIM(++frees <= wasi_state.node_count, "the free list of nodes has an end");
        found[i].free = true;
    }
    return NULL;
}

const char *
invariants_broken(void)
{
    const char *broken = start_over();

    if (broken == NULL)
        broken = check_directories();
    if (broken == NULL)
        broken = check_descriptors();
    for (uint32_t i = 0; i < wasi_state.node_count && broken == NULL; i++)
        broken = check_node(i);
    if (broken != NULL)
        return broken;
    CLAIM(bytes_found == wasi_state.used_bytes, "bytes are counted as they are");
    CLAIM(bytes_found <= wasi_state.config.work_limit_bytes, "files keep to the limit");
    CLAIM(blocks_found == wasi_state.blocks.in_use, "no block is lost");
    CLAIM(wasi_state.entry_count <= wasi_state.entry_capacity, "names keep to the limit");
    return NULL;
}
