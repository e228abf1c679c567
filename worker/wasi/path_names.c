/* Making and removing names. */
#include <string.h>

#include "worker/wasi/contents.h"
#include "worker/wasi/directory.h"
#include "worker/wasi/functions.h"
#include "worker/wasi/guest.h"
#include "worker/wasi/lookup.h"

/* The longest text that a link may hold: a block, as the target is read in one piece. */
#define TARGET_BYTES (WASI_BLOCK_BYTES - 1)

/* For calls that make a name: nothing may have it yet. */
static enum wasi_errno
need_new_name(const struct lookup *found, bool directory)
{
    if (found->node != NODE_NONE)
        return WASI_EEXIST;
    if (found->slash && !directory)
        return WASI_ENOENT;
    return lookup_may_change(found);
}

uint32_t
wasi_path_create_directory(uint32_t fd, uint32_t path, uint32_t path_len)
{
    struct lookup found;
    enum wasi_errno error =
        lookup_guest(&found, fd, WASI_RIGHT_PATH_CREATE_DIRECTORY, path, path_len, LOOKUP_ENTRY);

    if (error == WASI_OK)
        error = need_new_name(&found, true);
    if (error == WASI_OK)
        directory_make(found.parent, found.name, found.name_bytes, NODE_DIRECTORY, &error);
    return error;
}

uint32_t
wasi_path_remove_directory(uint32_t fd, uint32_t path, uint32_t path_len)
{
    struct lookup found;
    enum wasi_errno error =
        lookup_guest(&found, fd, WASI_RIGHT_PATH_REMOVE_DIRECTORY, path, path_len, LOOKUP_ENTRY);

    if (error != WASI_OK)
        return error;
    if (found.node == NODE_NONE)
        return WASI_ENOENT;
    if (node_kind(found.node) != NODE_DIRECTORY)
        return WASI_ENOTDIR;
    if (found.parent == NODE_NONE)
        return found.dot ? WASI_EINVAL : WASI_ENOTEMPTY;
    error = lookup_may_change(&found);
    if (error != WASI_OK)
        return error;
    if (!directory_is_empty(found.node))
        return WASI_ENOTEMPTY;
    directory_remove(directory_find_entry(found.parent, found.name, found.name_bytes));
    return WASI_OK;
}

uint32_t
wasi_path_unlink_file(uint32_t fd, uint32_t path, uint32_t path_len)
{
    struct lookup found;
    enum wasi_errno error =
        lookup_guest(&found, fd, WASI_RIGHT_PATH_UNLINK_FILE, path, path_len, LOOKUP_ENTRY);

    if (error != WASI_OK)
        return error;
    if (found.node == NODE_NONE)
        return WASI_ENOENT;
    if (node_kind(found.node) == NODE_DIRECTORY)
        return WASI_EISDIR;
    if (found.slash)
        return WASI_ENOTDIR;
    error = lookup_may_change(&found);
    if (error != WASI_OK)
        return error;
    directory_remove(directory_find_entry(found.parent, found.name, found.name_bytes));
    return WASI_OK;
}

static enum wasi_errno
check_target(const char *target, size_t size, bool from_root)
{
    if (size == 0)
        return WASI_ENOENT;
    if (size > TARGET_BYTES)
        return WASI_ENAMETOOLONG;
    if (memchr(target, '\0', size) != NULL)
        return WASI_EINVAL;
    /* Only who starts at the root could follow it. */
    return target[0] == '/' && !from_root ? WASI_EPERM : WASI_OK;
}

static enum wasi_errno
make_link(const struct lookup *found, const char *target, size_t size)
{
    enum wasi_errno error;
    size_t written;
    uint32_t link =
        directory_make(found->parent, found->name, found->name_bytes, NODE_SYMLINK, &error);

    if (error != WASI_OK)
        return error;
    error = contents_write(node_own(link), 0, target, size, &written);
    if (error == WASI_OK && written == size)
        return WASI_OK;
    directory_remove(directory_find_entry(found->parent, found->name, found->name_bytes));
    return WASI_ENOSPC;
}

uint32_t
wasi_path_symlink(uint32_t target, uint32_t target_len, uint32_t fd, uint32_t path,
                  uint32_t path_len)
{
    struct lookup found;
    const char *text = guest_at(target, target_len);
    enum wasi_errno error =
        lookup_guest(&found, fd, WASI_RIGHT_PATH_SYMLINK, path, path_len, LOOKUP_ENTRY);

    if (error != WASI_OK)
        return error;
    if (text == NULL)
        return WASI_EFAULT;
    error = check_target(text, target_len, wasi_state.descriptors[fd].node == NODE_ROOT);
    if (error == WASI_OK)
        error = need_new_name(&found, false);
    return error == WASI_OK ? make_link(&found, text, target_len) : error;
}

uint32_t
wasi_path_readlink(uint32_t fd, uint32_t path, uint32_t path_len, uint32_t buf, uint32_t buf_len,
                   uint32_t ret_bytes)
{
    struct lookup found;
    size_t size;
    enum wasi_errno error =
        lookup_guest(&found, fd, WASI_RIGHT_PATH_READLINK, path, path_len, LOOKUP_NOFOLLOW);

    if (error != WASI_OK)
        return error;
    if (found.node == NODE_NONE)
        return WASI_ENOENT;
    if (node_kind(found.node) != NODE_SYMLINK)
        return WASI_EINVAL;
    const char *target = contents_target(found.node, &size);
    if (size > buf_len)
        size = buf_len;
    if (!guest_has(ret_bytes, sizeof(uint32_t)))
        return WASI_EFAULT;
    error = guest_store(buf, target, size);
    return error == WASI_OK ? guest_store_u32(ret_bytes, (uint32_t)size) : error;
}

uint32_t
wasi_path_link(uint32_t old_fd, uint32_t lookup_flags, uint32_t old_path, uint32_t old_path_len,
               uint32_t new_fd, uint32_t new_path, uint32_t new_path_len)
{
    struct lookup source, found;
    enum lookup_mode mode = lookup_flags & WASI_LOOKUP_FOLLOW ? LOOKUP_FOLLOW : LOOKUP_NOFOLLOW;

    if (lookup_flags & ~(uint32_t)WASI_LOOKUP_ALL)
        return WASI_EINVAL;
    enum wasi_errno error =
        lookup_guest(&source, old_fd, WASI_RIGHT_PATH_LINK_SOURCE, old_path, old_path_len, mode);
    if (error != WASI_OK)
        return error;
    /* Other hosts do not follow links here at all, and refuse to be asked for it. */
    if (source.node == NODE_NONE)
        return mode == LOOKUP_FOLLOW && source.through_link ? WASI_EINVAL : WASI_ENOENT;
    error = lookup_guest(&found, new_fd, WASI_RIGHT_PATH_LINK_TARGET, new_path, new_path_len,
                         LOOKUP_ENTRY);
    if (error == WASI_OK)
        error = need_new_name(&found, false);
    if (error != WASI_OK)
        return error;
    if (node_kind(source.node) == NODE_DIRECTORY)
        return WASI_EPERM;
    /* The image and the devices are other file systems. */
    if (!node_writable(source.node))
        return WASI_EXDEV;
    return directory_add(found.parent, found.name, found.name_bytes, source.node);
}
