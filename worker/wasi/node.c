#include "worker/wasi/node.h"

#include <string.h>
#include <time.h>

#include "worker/wasi/contents.h"

/* All of the image and all of the job's files are one file system. */
#define DEVICE_NUMBER       1u
#define DIRECTORY_SIZE      4096u
#define NANOSECONDS_PER_SEC 1000000000ull

static const struct tree_node *
image_node(uint32_t id)
{
    return &wasi_state.tree.nodes[id];
}

enum node_kind
node_kind(uint32_t id)
{
    if (id & NODE_OWN)
        return (enum node_kind)node_own(id)->kind;
    switch (image_node(id)->kind) {
    case TREE_DIRECTORY:
        return NODE_DIRECTORY;
    case TREE_SYMLINK:
        return NODE_SYMLINK;
    default:
        return NODE_FILE;
    }
}

bool
node_writable(uint32_t id)
{
    return (id & NODE_OWN) && node_own(id)->writable;
}

uint64_t
node_size(uint32_t id)
{
    switch (node_kind(id)) {
    case NODE_FILE:
    case NODE_SYMLINK:
        return id & NODE_OWN ? node_own(id)->as.file.size : image_node(id)->data_bytes;
    case NODE_DIRECTORY:
        return DIRECTORY_SIZE;
    case NODE_DEVICE:
    case NODE_FREE:
        break;
    }
    return 0;
}

uint64_t
node_inode(uint32_t id)
{
    uint64_t generation = id & NODE_OWN ? node_own(id)->generation : 0;

    return (generation << 32 | id) + 1;
}

enum wasi_filetype
node_filetype(uint32_t id)
{
    switch (node_kind(id)) {
    case NODE_DIRECTORY:
        return WASI_FILETYPE_DIRECTORY;
    case NODE_FILE:
        return WASI_FILETYPE_REGULAR_FILE;
    case NODE_SYMLINK:
        return WASI_FILETYPE_SYMBOLIC_LINK;
    case NODE_DEVICE:
        return WASI_FILETYPE_CHARACTER_DEVICE;
    case NODE_FREE:
        break;
    }
    return WASI_FILETYPE_UNKNOWN;
}

void
node_stat(uint32_t id, struct wasi_filestat *stat)
{
    memset(stat, 0, sizeof(*stat));
    stat->dev = DEVICE_NUMBER;
    stat->ino = node_inode(id);
    stat->filetype = (uint8_t)node_filetype(id);
    stat->size = node_size(id);
    if (id & NODE_OWN) {
        const struct node *node = node_own(id);
        stat->nlink = node->links;
        stat->atim = node->atim;
        stat->mtim = node->mtim;
        stat->ctim = node->ctim;
        return;
    }
    stat->nlink = 1;
    stat->atim = stat->mtim = stat->ctim = wasi_state.tree.header->mtime_ns;
}

uint64_t
node_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * NANOSECONDS_PER_SEC + (uint64_t)now.tv_nsec;
}

uint32_t
node_new(enum node_kind kind, bool writable)
{
    struct wasi_state *state = &wasi_state;
    uint32_t index = state->node_free;
    uint32_t generation = 0;

    if (index != 0) {
        state->node_free = state->nodes[index].as.next_free;
        generation = state->nodes[index].generation + 1;
    } else if (state->node_count < state->node_capacity) {
        index = state->node_count++;
    } else {
        return NODE_NONE;
    }
    struct node *node = &state->nodes[index];
    memset(node, 0, sizeof(*node));
    node->generation = generation;
    node->kind = (uint8_t)kind;
    node->writable = writable;
    node->atim = node->mtim = node->ctim = node_now();
    if (kind == NODE_DIRECTORY)
        node->as.directory.lower = NODE_NONE;
    return NODE_OWN | index;
}

void
node_release(uint32_t id)
{
    struct node *node = node_own(id);

    if (node == NULL || node->links > 0 || node->opens > 0)
        return;
    if (node->kind == NODE_FILE || node->kind == NODE_SYMLINK)
        contents_free(node);
    node->kind = NODE_FREE;
    /* The root has index 0 and is never freed, so 0 ends the list. */
    node->as.next_free = wasi_state.node_free;
    wasi_state.node_free = id & ~NODE_OWN;
}

void
node_open(uint32_t id)
{
    if (id & NODE_OWN)
        node_own(id)->opens++;
}

void
node_close(uint32_t id)
{
    if (id & NODE_OWN) {
        node_own(id)->opens--;
        node_release(id);
    }
}
