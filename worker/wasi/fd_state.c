/* What descriptors are, rather than what is read and written through them. */
#include <string.h>

#include "worker/wasi/contents.h"
#include "worker/wasi/descriptor.h"
#include "worker/wasi/functions.h"
#include "worker/wasi/guest.h"
#include "worker/wasi/times.h"

uint32_t
wasi_fd_advise(uint32_t fd, uint64_t offset, uint64_t len, uint32_t advice)
{
    struct descriptor *descriptor = descriptor_get(fd);

    if (descriptor == NULL || descriptor_is(descriptor, NODE_DIRECTORY))
        return WASI_EBADF;
    if (!descriptor_is(descriptor, NODE_FILE))
        return WASI_ESPIPE;
    if (!(descriptor->rights & WASI_RIGHT_FD_ADVISE))
        return WASI_ENOTCAPABLE;
    if (advice > WASI_ADVICE_LAST || offset > INT64_MAX || len > INT64_MAX)
        return WASI_EINVAL;
    return WASI_OK;
}

/* A regular file that may be written to; Linux has two errors for those that may not. */
static enum wasi_errno
need_file(uint32_t fd, uint32_t rights, enum wasi_errno not_writable,
          struct descriptor **descriptor)
{
    *descriptor = descriptor_get(fd);
    if (*descriptor == NULL || descriptor_is(*descriptor, NODE_DIRECTORY))
        return WASI_EBADF;
    if (!descriptor_is(*descriptor, NODE_FILE))
        return WASI_EINVAL;
    if (!((*descriptor)->rights & WASI_RIGHT_FD_WRITE))
        return not_writable;
    return descriptor_need(fd, rights, descriptor);
}

static enum wasi_errno
resize(struct node *node, uint64_t size)
{
    enum wasi_errno error = contents_resize(node, size);

    if (error == WASI_OK)
        node->mtim = node->ctim = node_now();
    return error;
}

uint32_t
wasi_fd_allocate(uint32_t fd, uint64_t offset, uint64_t len)
{
    struct descriptor *descriptor;
    enum wasi_errno error = need_file(fd, WASI_RIGHT_FD_ALLOCATE, WASI_EBADF, &descriptor);

    if (error != WASI_OK)
        return error;
    if (len == 0 || len > INT64_MAX || offset > INT64_MAX)
        return WASI_EINVAL;
    if (offset + len > INT64_MAX)
        return WASI_EFBIG;
    if (offset + len <= node_size(descriptor->node))
        return WASI_OK;
    return resize(node_own(descriptor->node), offset + len);
}

uint32_t
wasi_fd_filestat_set_size(uint32_t fd, uint64_t size)
{
    struct descriptor *descriptor;
    enum wasi_errno error =
        need_file(fd, WASI_RIGHT_FD_FILESTAT_SET_SIZE, WASI_EINVAL, &descriptor);

    if (error != WASI_OK)
        return error;
    if (size > INT64_MAX)
        return WASI_EINVAL;
    return resize(node_own(descriptor->node), size);
}

uint32_t
wasi_fd_close(uint32_t fd)
{
    if (descriptor_get(fd) == NULL)
        return WASI_EBADF;
    descriptor_close(fd);
    return WASI_OK;
}

/* There is nothing behind the tree that could lag behind it. */
static enum wasi_errno
synchronize(uint32_t fd, uint32_t right)
{
    struct descriptor *descriptor;

    return descriptor_need(fd, right, &descriptor);
}

uint32_t
wasi_fd_datasync(uint32_t fd)
{
    return synchronize(fd, WASI_RIGHT_FD_DATASYNC);
}

uint32_t
wasi_fd_sync(uint32_t fd)
{
    return synchronize(fd, WASI_RIGHT_FD_SYNC);
}

uint32_t
wasi_fd_fdstat_get(uint32_t fd, uint32_t ret_stat)
{
    const struct descriptor *descriptor = descriptor_get(fd);

    if (descriptor == NULL)
        return WASI_EBADF;
    struct wasi_fdstat stat = {
        .filetype = (uint8_t)descriptor_filetype(descriptor),
        .flags = descriptor->flags,
        .rights_base = descriptor->rights,
        .rights_inheriting = descriptor->inheriting,
    };
    return guest_store(ret_stat, &stat, sizeof(stat));
}

uint32_t
wasi_fd_fdstat_set_flags(uint32_t fd, uint32_t flags)
{
    struct descriptor *descriptor;
    enum wasi_errno error = descriptor_need(fd, WASI_RIGHT_FD_FDSTAT_SET_FLAGS, &descriptor);

    if (error != WASI_OK)
        return error;
    if (flags & ~(uint32_t)WASI_FDFLAG_ALL)
        return WASI_EINVAL;
    descriptor->flags = (uint16_t)flags;
    return WASI_OK;
}

uint32_t
wasi_fd_fdstat_set_rights(uint32_t fd, uint64_t base, uint64_t inheriting)
{
    struct descriptor *descriptor = descriptor_get(fd);

    if (descriptor == NULL)
        return WASI_EBADF;
    if ((base & ~(uint64_t)descriptor->rights) || (inheriting & ~(uint64_t)descriptor->inheriting))
        return WASI_ENOTCAPABLE;
    descriptor->rights = (uint32_t)base;
    descriptor->inheriting = (uint32_t)inheriting;
    return WASI_OK;
}

uint32_t
wasi_fd_filestat_get(uint32_t fd, uint32_t ret_stat)
{
    struct descriptor *descriptor;
    struct wasi_filestat stat = {.nlink = 1};
    enum wasi_errno error = descriptor_need(fd, WASI_RIGHT_FD_FILESTAT_GET, &descriptor);

    if (error != WASI_OK)
        return error;
    if (descriptor->kind == DESCRIPTOR_NODE)
        node_stat(descriptor->node, &stat);
    return guest_store(ret_stat, &stat, sizeof(stat));
}

uint32_t
wasi_fd_filestat_set_times(uint32_t fd, uint64_t atim, uint64_t mtim, uint32_t fst_flags)
{
    struct descriptor *descriptor;
    enum wasi_errno error = descriptor_need(fd, WASI_RIGHT_FD_FILESTAT_SET_TIMES, &descriptor);

    if (error != WASI_OK)
        return error;
    return times_set(descriptor->node, atim, mtim, fst_flags);
}

static const struct preopen *
preopen_of(uint32_t fd)
{
    const struct descriptor *descriptor = descriptor_get(fd);

    if (descriptor == NULL || descriptor->preopen == 0)
        return NULL;
    return &wasi_state.preopens[descriptor->preopen - 1];
}

uint32_t
wasi_fd_prestat_get(uint32_t fd, uint32_t ret_prestat)
{
    const struct preopen *preopen = preopen_of(fd);

    if (preopen == NULL)
        return WASI_EBADF;
    struct wasi_prestat prestat = {.name_len = (uint32_t)preopen->name_bytes};
    return guest_store(ret_prestat, &prestat, sizeof(prestat));
}

uint32_t
wasi_fd_prestat_dir_name(uint32_t fd, uint32_t path, uint32_t path_len)
{
    const struct preopen *preopen = preopen_of(fd);

    if (preopen == NULL)
        return WASI_EBADF;
    if (path_len < preopen->name_bytes)
        return WASI_ENAMETOOLONG;
    return guest_store(path, preopen->name, preopen->name_bytes);
}

uint32_t
wasi_fd_renumber(uint32_t fd, uint32_t to)
{
    if (descriptor_get(fd) == NULL || descriptor_get(to) == NULL)
        return WASI_EBADF;
    if (fd == to)
        return WASI_OK;
    descriptor_close(to);
    wasi_state.descriptors[to] = wasi_state.descriptors[fd];
    wasi_state.descriptors[fd] = (struct descriptor){.kind = DESCRIPTOR_FREE};
    return WASI_OK;
}
