/*
 * Directories: names and the nodes that they name.
 *
 * A directory of the image is its sorted range of the tree and never changes. Directories of our
 * own keep a list of entries in the order of their making, found through one hash table; one that
 * lies over a directory of the image (the root does) shows both, its own names first.
 */
#ifndef RETORT_WASI_DIRECTORY_H
#define RETORT_WASI_DIRECTORY_H

#include "worker/wasi/node.h"

struct entry {
    uint64_t serial; /* grows with every entry made; never used again */
    uint32_t directory;
    uint32_t node;
    uint32_t next, previous; /* in the directory */
    uint32_t chain;          /* in the hash bucket; or of free ones */
    uint32_t hash;
    uint8_t name_bytes;
    char name[WASI_NAME_BYTES];
};

/* The node of that name, or NODE_NONE. */
uint32_t directory_find(uint32_t directory, const char *name, size_t name_bytes);
/* The entry of that name of our own, or 0. */
uint32_t directory_find_entry(uint32_t directory, const char *name, size_t name_bytes);
bool directory_is_empty(uint32_t directory);
/* The root's is the root. */
uint32_t directory_parent(uint32_t directory);

/*
 * Gives a node of our own a name in a directory of our own, which has none of that name.
 * WASI_ENOSPC when there are too many names, WASI_ENAMETOOLONG.
 */
enum wasi_errno directory_add(uint32_t directory, const char *name, size_t name_bytes,
                              uint32_t node);
/* Takes the name away, and frees the node when that was its last and it is not open. */
void directory_remove(uint32_t entry);
/* A new node with a name; NODE_NONE with *error set. */
uint32_t directory_make(uint32_t directory, const char *name, size_t name_bytes,
                        enum node_kind kind, enum wasi_errno *error);

/* What fd_readdir shows. */
struct directory_item {
    uint64_t next_cookie;
    uint32_t node;
    uint32_t entry; /* or 0 */
    const char *name;
    size_t name_bytes;
};
/* The item at the cookie (0: the first). hint: the entry of the item before, or 0. */
bool directory_item_at(uint32_t directory, uint64_t cookie, uint32_t hint,
                       struct directory_item *item);

#endif
