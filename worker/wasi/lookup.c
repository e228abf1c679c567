#include "worker/wasi/lookup.h"

#include <string.h>

#include "worker/wasi/contents.h"
#include "worker/wasi/descriptor.h"
#include "worker/wasi/directory.h"
#include "worker/wasi/guest.h"

/* Text that is still to be walked: the path, and above it the targets of links met on the way. */
struct frame {
    const char *at, *end;
};

struct walk {
    uint32_t base, current;
    uint32_t links;
    uint32_t depth; /* frames */
    struct frame frames[WASI_LINK_DEPTH + 1];
};

/* Skips slashes and finished frames; true when no name is left. *slash: there was a slash. */
static bool
walk_settle(struct walk *walk, bool *slash)
{
    *slash = false;
    while (walk->depth > 0) {
        struct frame *frame = &walk->frames[walk->depth - 1];
        if (frame->at == frame->end) {
            walk->depth--;
        } else if (*frame->at == '/') {
            frame->at++;
            *slash = true;
        } else {
            return false;
        }
    }
    return true;
}

static enum wasi_errno
walk_name(struct walk *walk, const char **name, size_t *name_bytes)
{
    struct frame *frame = &walk->frames[walk->depth - 1];
    const char *slash = memchr(frame->at, '/', (size_t)(frame->end - frame->at));
    const char *end = slash == NULL ? frame->end : slash;

    *name = frame->at;
    *name_bytes = (size_t)(end - frame->at);
    frame->at = end;
    return *name_bytes > WASI_NAME_BYTES ? WASI_ENAMETOOLONG : WASI_OK;
}

static enum wasi_errno
walk_link(struct walk *walk, uint32_t link)
{
    size_t size;
    const char *target = contents_target(link, &size);

    if (++walk->links > WASI_LINK_DEPTH)
        return WASI_ELOOP;
    if (target[0] == '/') {
        if (walk->base != NODE_ROOT)
            return WASI_EPERM;
        walk->current = NODE_ROOT;
    }
    walk->frames[walk->depth++] = (struct frame){.at = target, .end = target + size};
    return WASI_OK;
}

static enum wasi_errno
walk_up(struct walk *walk)
{
    if (walk->current == NODE_ROOT)
        return WASI_OK;
    if (walk->current == walk->base)
        return WASI_EPERM;
    walk->current = directory_parent(walk->current);
    return WASI_OK;
}

/* A name that is not the last: into the directory, or through a link. */
static enum wasi_errno
walk_into(struct walk *walk, uint32_t node)
{
    if (node == NODE_NONE)
        return WASI_ENOENT;
    switch (node_kind(node)) {
    case NODE_DIRECTORY:
        walk->current = node;
        return WASI_OK;
    case NODE_SYMLINK:
        return walk_link(walk, node);
    case NODE_FILE:
    case NODE_DEVICE:
    case NODE_FREE:
        break;
    }
    return WASI_ENOTDIR;
}

static bool
follows(enum lookup_mode mode, bool slash)
{
    return mode == LOOKUP_FOLLOW || mode == LOOKUP_CREATE || (mode == LOOKUP_NOFOLLOW && slash);
}

static bool
creates(enum lookup_mode mode)
{
    return mode == LOOKUP_CREATE || mode == LOOKUP_CREATE_ENTRY;
}

static bool
is_link(uint32_t node)
{
    return node != NODE_NONE && node_kind(node) == NODE_SYMLINK;
}

static void
finish_at_directory(struct lookup *lookup, const struct walk *walk, bool dot)
{
    lookup->node = walk->current;
    lookup->parent = NODE_NONE;
    lookup->name = NULL;
    lookup->name_bytes = 0;
    lookup->dot = dot;
}

/* One name. *done when it was the last and lookup is filled. */
static enum wasi_errno
walk_step(struct walk *walk, struct lookup *lookup, enum lookup_mode mode, bool *done)
{
    const char *name;
    size_t size;
    bool slash;
    enum wasi_errno error = walk_name(walk, &name, &size);

    if (error != WASI_OK)
        return error;
    bool last = walk_settle(walk, &slash);
    if (last)
        lookup->slash |= slash;
    if (name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.'))) {
        error = size == 2 ? walk_up(walk) : WASI_OK;
        *done = last;
        finish_at_directory(lookup, walk, size == 1);
        return error;
    }
    /* As Linux has it: before anything is looked at. */
    if (last && lookup->slash && creates(mode))
        return WASI_EISDIR;
    uint32_t node = directory_find(walk->current, name, size);
    if (!last)
        return walk_into(walk, node);
    if (is_link(node) && follows(mode, lookup->slash)) {
        lookup->through_link = true;
        return walk_link(walk, node);
    }
    *done = true;
    lookup->node = node;
    lookup->parent = walk->current;
    lookup->name = name;
    lookup->name_bytes = size;
    lookup->dot = false;
    return WASI_OK;
}

enum wasi_errno
lookup_path(struct lookup *lookup, uint32_t base, const char *path, size_t path_bytes,
            enum lookup_mode mode)
{
    struct walk walk;
    bool slash, done = false;

    if (path_bytes == 0)
        return WASI_ENOENT;
    if (path_bytes > WASI_PATH_BYTES)
        return WASI_ENAMETOOLONG;
    if (memchr(path, '\0', path_bytes) != NULL)
        return WASI_EINVAL;
    if (path[0] == '/')
        return WASI_EPERM;
    walk.base = walk.current = base;
    walk.links = 0;
    walk.depth = 1;
    walk.frames[0] = (struct frame){.at = path, .end = path + path_bytes};
    lookup->slash = lookup->through_link = false;
    while (!done) {
        /* Only a link to "/" leaves nothing to walk without having finished. */
        if (walk_settle(&walk, &slash)) {
            finish_at_directory(lookup, &walk, false);
            return WASI_OK;
        }
        enum wasi_errno error = walk_step(&walk, lookup, mode, &done);
        if (error != WASI_OK)
            return error;
    }
    return WASI_OK;
}

enum wasi_errno
lookup_guest(struct lookup *lookup, uint32_t fd, uint32_t rights, uint32_t path,
             uint32_t path_bytes, enum lookup_mode mode)
{
    struct descriptor *descriptor = descriptor_get(fd);

    if (descriptor == NULL)
        return WASI_EBADF;
    if (!descriptor_is(descriptor, NODE_DIRECTORY))
        return WASI_ENOTDIR;
    if ((descriptor->rights & rights) != rights)
        return WASI_ENOTCAPABLE;
    const char *text = guest_at(path, path_bytes);
    if (text == NULL)
        return WASI_EFAULT;
    enum wasi_errno error = lookup_path(lookup, descriptor->node, text, path_bytes, mode);
    if (error != WASI_OK || mode == LOOKUP_ENTRY)
        return error;
    if (lookup->slash && lookup->node != NODE_NONE && node_kind(lookup->node) != NODE_DIRECTORY)
        return WASI_ENOTDIR;
    return WASI_OK;
}

enum wasi_errno
lookup_may_change(const struct lookup *lookup)
{
    if (!node_writable(lookup->parent))
        return WASI_EROFS;
    /* A directory that was removed while open takes no new names. */
    if (node_own(lookup->parent)->links == 0)
        return WASI_ENOENT;
    return WASI_OK;
}
