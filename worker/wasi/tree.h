/*
 * The image's file tree: one file, made by retort-aot, mapped read-only and shared by all jobs.
 *
 * Little-endian, offsets from the start of the file:
 *
 *     struct tree_header
 *     struct tree_node[node_count]   node 0 is the root; a directory's children are contiguous,
 *                                    sorted by name as bytes, and come after their directory
 *     names                          not NUL-terminated
 *     file data                      each file's at a multiple of 64
 *
 * tree_open() checks all of it once; afterwards nothing in it is looked at with suspicion.
 */
#ifndef RETORT_TREE_H
#define RETORT_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define TREE_MAGIC 0x3145455254525452ull /* "RTRTREE1" */

enum tree_kind { TREE_DIRECTORY = 1, TREE_FILE = 2, TREE_SYMLINK = 3 };

struct tree_header {
    uint64_t magic;
    uint64_t total_bytes;
    uint32_t node_count;
    uint32_t nodes_offset;
    uint64_t mtime_ns; /* of every node: the build's SOURCE_DATE_EPOCH */
};

struct tree_node {
    uint32_t kind; /* enum tree_kind */
    uint32_t name_bytes;
    uint64_t name_offset;
    uint64_t data_offset; /* file: contents; symlink: target; directory: index of first child */
    uint64_t data_bytes;  /* file, symlink: length; directory: number of children */
};

struct tree {
    const struct tree_header *header;
    const struct tree_node *nodes;
    const char *start;
};

/* Borrows data for as long as tree is used. */
int tree_open(struct tree *tree, const void *data, size_t size, struct err *err);
/* Index of the child of that name, or -1. */
int64_t tree_find(const struct tree *tree, uint32_t directory, const char *name, size_t name_bytes);

#endif
