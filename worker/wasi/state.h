/*
 * The host's mutable state: one static struct, one guest per process.
 *
 * A job process is a fork of a booted interpreter, and each page that it writes to is copied.
 * Everything that an ordinary job touches therefore stands together at the start of this struct,
 * and in the first page of each table; nothing of the host is on the heap.
 */
#ifndef RETORT_WASI_STATE_H
#define RETORT_WASI_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/wasi/tree.h"
#include "worker/wasi/wasi.h"

#define WASI_DESCRIPTORS      256
#define WASI_PREOPENS         32
#define WASI_PATH_BYTES       4096
#define WASI_NAME_BYTES       255
#define WASI_LINK_DEPTH       32
#define WASI_IOVECS           1024
#define WASI_BUCKETS          512  /* of the directory hash; a power of two */
#define WASI_BUILTIN_NODES    64   /* nodes and names of the host itself: /work, /dev, ... */
#define WASI_INPUT_NODES      4608 /* names that a job's input may take beside the limit */
#define WASI_BLOCK_BYTES      4096u
#define WASI_BLOCKS_PER_TABLE 1024u /* block numbers in an index block */

enum descriptor_kind { DESCRIPTOR_FREE, DESCRIPTOR_NODE, DESCRIPTOR_STREAM };

struct descriptor {
    uint8_t kind;    /* enum descriptor_kind */
    uint8_t preopen; /* 0, or 1 + index of the preopen */
    uint16_t flags;  /* WASI_FDFLAG_* */
    uint32_t node;   /* of a NODE; of a STREAM: 0 standard output, 1 standard error */
    uint32_t rights;
    uint32_t inheriting;
    uint64_t offset;
    uint32_t entry_hint; /* directory entry that the last fd_readdir ended with */
    uint32_t padding;
};

struct preopen {
    const char *name; /* borrowed, not NUL-terminated */
    size_t name_bytes;
};

/* File contents in memory of our own: see blocks.h. */
struct block_pool {
    char *start;
    uint64_t *used; /* bitmap */
    uint32_t block_count;
    uint32_t granted;  /* blocks that are readable and writable */
    uint32_t in_use;   /* of those */
    uint32_t position; /* where the next search starts */
};

struct wasi_state {
    struct wasi_config config;
    struct tree tree;

    /* The job. */
    const struct job_memory_header *input; /* NULL before wasi_begin_job() */
    bool job_awaited;                      /* the job device has been read */
    bool replace_args;
    uint32_t job_root; /* where the paths of the job's files begin: the root, or its own "/" */

    /* Nodes and names that this process made: see node.h, directory.h. */
    struct node *nodes;
    struct entry *entries;
    uint32_t entry_table; /* entries that there is room for; the capacity is what may be used */
    uint64_t table_bytes;
    uint32_t node_capacity, node_count, node_free; /* count: ever used; free: list head */
    uint32_t entry_capacity, entry_count, entry_free;
    uint32_t union_head;   /* list of directories that lie over one of the image's */
    uint64_t entry_serial; /* of the youngest entry */
    uint64_t used_bytes;   /* of writable files */
    struct block_pool blocks;

    struct preopen preopens[WASI_PREOPENS];
    uint32_t preopen_count;
    uint32_t stdin_node;

    uint32_t buckets[WASI_BUCKETS];
    struct descriptor descriptors[WASI_DESCRIPTORS];
    /* Only calls with many buffers come here. */
    struct guest_span *spans;
};

extern struct wasi_state wasi_state;

#endif
