/*
 * From a path to a node, without leaving the directory that it starts from.
 *
 * ".." above the starting directory is WASI_EPERM, as in other hosts; above the root it stays at
 * the root. Links with absolute targets are followed by who starts at the root, and by nobody
 * else. More than WASI_LINK_DEPTH links are WASI_ELOOP.
 */
#ifndef RETORT_WASI_LOOKUP_H
#define RETORT_WASI_LOOKUP_H

#include "worker/wasi/node.h"

enum lookup_mode {
    LOOKUP_ENTRY,    /* the name itself, for calls that make, remove or rename it */
    LOOKUP_NOFOLLOW, /* a link at the end is followed only when a slash comes after it */
    LOOKUP_FOLLOW,   /* a link at the end is followed */
    /* For files that may be made, so that a slash at the end is WASI_EISDIR; the second does not
     * follow a link at the end. */
    LOOKUP_CREATE,
    LOOKUP_CREATE_ENTRY,
};

struct lookup {
    uint32_t node;    /* NODE_NONE when the last name is missing */
    uint32_t parent;  /* directory of the last name; NODE_NONE when the path ends in "." or ".." */
    const char *name; /* last name; points into the path or into a link's target */
    size_t name_bytes;
    bool slash;        /* something follows the last name: it must be a directory */
    bool dot;          /* the path ends in "." */
    bool through_link; /* the last name of the path was a link, and was followed */
};

enum wasi_errno lookup_path(struct lookup *lookup, uint32_t base, const char *path,
                            size_t path_bytes, enum lookup_mode mode);
/*
 * The same for what a guest passes: a descriptor of a directory that has the rights, and a path
 * in linear memory. A path with a slash after what is no directory is WASI_ENOTDIR, but for
 * LOOKUP_ENTRY, where each call has its own answer to that.
 */
enum wasi_errno lookup_guest(struct lookup *lookup, uint32_t fd, uint32_t rights, uint32_t path,
                             uint32_t path_bytes, enum lookup_mode mode);
/* May the guest make or remove names in the directory that was found? */
enum wasi_errno lookup_may_change(const struct lookup *lookup);

#endif
