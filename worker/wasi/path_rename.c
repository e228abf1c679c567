/* Renaming, the call with the most ways to be wrong. */
#include "worker/wasi/directory.h"
#include "worker/wasi/functions.h"
#include "worker/wasi/guest.h"
#include "worker/wasi/lookup.h"

/* Would the directory come to lie in itself? */
static bool
contains(uint32_t directory, uint32_t inner)
{
    while (inner != directory) {
        uint32_t parent = directory_parent(inner);
        if (parent == inner)
            return false;
        inner = parent;
    }
    return true;
}

/* What stands under the new name already. */
static enum wasi_errno
check_replaced(uint32_t node, uint32_t replaced)
{
    bool moves_directory = node_kind(node) == NODE_DIRECTORY;

    if (replaced == NODE_NONE)
        return WASI_OK;
    if (node_kind(replaced) != NODE_DIRECTORY)
        return moves_directory ? WASI_ENOTDIR : WASI_OK;
    if (!moves_directory)
        return WASI_EISDIR;
    return directory_is_empty(replaced) ? WASI_OK : WASI_ENOTEMPTY;
}

static enum wasi_errno
check_places(const struct lookup *from, const struct lookup *to)
{
    enum wasi_errno from_error = lookup_may_change(from), to_error = lookup_may_change(to);

    /* Between the image and what is writable: as between two file systems. */
    if ((from_error == WASI_EROFS) != (to_error == WASI_EROFS))
        return WASI_EXDEV;
    return from_error != WASI_OK ? from_error : to_error;
}

static enum wasi_errno
check_rename(const struct lookup *from, const struct lookup *to)
{
    if (from->parent == NODE_NONE || to->parent == NODE_NONE)
        return WASI_EBUSY;
    if (from->node == NODE_NONE)
        return WASI_ENOENT;
    bool directory = node_kind(from->node) == NODE_DIRECTORY;
    if (!directory && (from->slash || to->slash))
        return WASI_ENOTDIR;
    enum wasi_errno error = check_places(from, to);
    if (error != WASI_OK)
        return error;
    if (from->node == to->node)
        return WASI_OK;
    if (directory && contains(from->node, to->parent))
        return WASI_EINVAL;
    /* What the source lies in is not empty, whatever the source is. */
    if (to->node != NODE_NONE && node_kind(to->node) == NODE_DIRECTORY &&
        contains(to->node, from->parent))
        return WASI_ENOTEMPTY;
    return check_replaced(from->node, to->node);
}

static enum wasi_errno
move_name(const struct lookup *from, const struct lookup *to)
{
    /* Kept alive between its two names. */
    node_open(from->node);
    if (to->node != NODE_NONE)
        directory_remove(directory_find_entry(to->parent, to->name, to->name_bytes));
    directory_remove(directory_find_entry(from->parent, from->name, from->name_bytes));
    /* The old name's place is free now, so that there is one. */
    enum wasi_errno error = directory_add(to->parent, to->name, to->name_bytes, from->node);
    node_close(from->node);
    return error;
}

uint32_t
wasi_path_rename(uint32_t old_fd, uint32_t old_path, uint32_t old_path_len, uint32_t new_fd,
                 uint32_t new_path, uint32_t new_path_len)
{
    struct lookup from, to;
    enum wasi_errno error = lookup_guest(&from, old_fd, WASI_RIGHT_PATH_RENAME_SOURCE, old_path,
                                         old_path_len, LOOKUP_ENTRY);

    if (error == WASI_OK)
        error = lookup_guest(&to, new_fd, WASI_RIGHT_PATH_RENAME_TARGET, new_path, new_path_len,
                             LOOKUP_ENTRY);
    if (error != WASI_OK)
        return error;
    error = check_rename(&from, &to);
    /* Two names of one file: nothing is to be done. */
    if (error != WASI_OK || from.node == to.node)
        return error;
    return move_name(&from, &to);
}
