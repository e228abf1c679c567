/*
 * Nodes: files, directories, symbolic links, devices. A node is named by a number: the image's by
 * their index in the tree, those that this process made by NODE_OWN and an index.
 */
#ifndef RETORT_WASI_NODE_H
#define RETORT_WASI_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/wasi/abi.h"
#include "worker/wasi/state.h"

#define NODE_OWN  0x80000000u
#define NODE_NONE UINT32_MAX
#define NODE_ROOT NODE_OWN /* the first that is made */

enum node_kind { NODE_FREE, NODE_DIRECTORY, NODE_FILE, NODE_SYMLINK, NODE_DEVICE };

struct node {
    uint8_t kind;        /* enum node_kind */
    bool writable;       /* by the guest; of a directory: names may be made and removed in it */
    uint16_t opens;      /* descriptors */
    uint32_t links;      /* names */
    uint32_t generation; /* of nodes with this number */
    uint64_t atim, mtim, ctim;
    union {
        struct {
            uint64_t size;
            const char *borrowed; /* contents in somebody else's memory, or NULL: blocks */
            uint32_t root;        /* block, or table of blocks, or 0 */
            uint32_t height;      /* levels of tables above the blocks */
        } file;                   /* and of a symbolic link: its target, in one block */
        struct {
            uint32_t parent;      /* itself when removed */
            uint32_t lower;       /* directory of the image that this lies over, or NODE_NONE */
            uint32_t next_union;  /* list of those that lie over one */
            uint32_t first, last; /* entries, 0: none */
        } directory;
        uint32_t device; /* enum device */
        uint32_t next_free;
    } as;
};

/* The node, or NULL for one of the image. */
static inline struct node *
node_own(uint32_t id)
{
    return id & NODE_OWN ? &wasi_state.nodes[id & ~NODE_OWN] : NULL;
}

enum node_kind node_kind(uint32_t id);
bool node_writable(uint32_t id);
uint64_t node_size(uint32_t id);
/* Never that of an earlier node: guests remember files by it. */
uint64_t node_inode(uint32_t id);
enum wasi_filetype node_filetype(uint32_t id);
void node_stat(uint32_t id, struct wasi_filestat *stat);

/* NODE_NONE when there are too many. No links, not open: node_release() frees it. */
uint32_t node_new(enum node_kind kind, bool writable);
/* Frees the node once it has neither name nor descriptor. The image's are left alone. */
void node_release(uint32_t id);
/* A descriptor more, a descriptor less (which may free it). */
void node_open(uint32_t id);
void node_close(uint32_t id);

/* CLOCK_REALTIME in nanoseconds. */
uint64_t node_now(void);

#endif
