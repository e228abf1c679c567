/* Opening by path. */
#include "worker/wasi/contents.h"
#include "worker/wasi/descriptor.h"
#include "worker/wasi/device.h"
#include "worker/wasi/directory.h"
#include "worker/wasi/functions.h"
#include "worker/wasi/guest.h"
#include "worker/wasi/lookup.h"

struct open_request {
    const struct descriptor *directory; /* that the path starts from */
    uint32_t flags;                     /* WASI_OPEN_* */
    uint32_t fd_flags;                  /* WASI_FDFLAG_* */
    uint64_t rights;
};

static enum wasi_errno
check_flags(const struct open_request *request, uint32_t lookup_flags)
{
    if ((request->flags & ~(uint32_t)WASI_OPEN_ALL) ||
        (request->fd_flags & ~(uint32_t)WASI_FDFLAG_ALL) ||
        (lookup_flags & ~(uint32_t)WASI_LOOKUP_ALL))
        return WASI_EINVAL;
    if ((request->flags & WASI_OPEN_DIRECTORY) &&
        (request->flags & (WASI_OPEN_CREAT | WASI_OPEN_TRUNC)))
        return WASI_EINVAL;
    return WASI_OK;
}

/* Rights of the starting directory that the request takes. */
static uint32_t
rights_needed(const struct open_request *request)
{
    uint32_t rights = WASI_RIGHT_PATH_OPEN;

    if (request->flags & WASI_OPEN_CREAT)
        rights |= WASI_RIGHT_PATH_CREATE_FILE;
    return rights;
}

static enum wasi_errno
open_missing(const struct open_request *request, struct lookup *found)
{
    enum wasi_errno error;

    if (!(request->flags & WASI_OPEN_CREAT))
        return WASI_ENOENT;
    error = lookup_may_change(found);
    if (error != WASI_OK)
        return error;
    found->node = directory_make(found->parent, found->name, found->name_bytes, NODE_FILE, &error);
    return error;
}

static enum wasi_errno
check_kind(const struct open_request *request, enum node_kind kind)
{
    if (kind == NODE_SYMLINK)
        return request->flags & WASI_OPEN_DIRECTORY ? WASI_ENOTDIR : WASI_ELOOP;
    if (kind != NODE_DIRECTORY)
        return request->flags & WASI_OPEN_DIRECTORY ? WASI_ENOTDIR : WASI_OK;
    if ((request->rights & WASI_RIGHT_FD_WRITE) ||
        (request->flags & (WASI_OPEN_CREAT | WASI_OPEN_TRUNC)))
        return WASI_EISDIR;
    return WASI_OK;
}

static enum wasi_errno
open_existing(const struct open_request *request, uint32_t node)
{
    enum node_kind kind = node_kind(node);

    if ((request->flags & WASI_OPEN_CREAT) && (request->flags & WASI_OPEN_EXCL))
        return WASI_EEXIST;
    enum wasi_errno error = check_kind(request, kind);
    if (error != WASI_OK || kind != NODE_FILE)
        return error;
    bool writes = (request->rights & WASI_RIGHT_FD_WRITE) || (request->flags & WASI_OPEN_TRUNC);
    return writes && !node_writable(node) ? WASI_EROFS : WASI_OK;
}

static enum wasi_errno
truncate_file(uint32_t node)
{
    enum wasi_errno error = contents_resize(node_own(node), 0);

    if (error == WASI_OK)
        node_own(node)->mtim = node_own(node)->ctim = node_now();
    return error;
}

/*
 * As in other hosts, what is asked for here chooses between reading and writing; all other rights
 * come from the directory, and are dropped by fd_fdstat_set_rights() alone.
 */
static uint32_t
rights_given(const struct open_request *request)
{
    uint32_t rights = request->directory->inheriting;

    if (!(request->rights & WASI_RIGHT_FD_READ))
        rights &= ~WASI_RIGHT_FD_READ;
    if (!(request->rights & WASI_RIGHT_FD_WRITE))
        rights &= ~(WASI_RIGHT_FD_WRITE | WASI_RIGHT_FD_ALLOCATE | WASI_RIGHT_FD_FILESTAT_SET_SIZE);
    return rights;
}

/*
 * /dev/stdin, /dev/stdout and /dev/stderr are what the standard descriptors were at the start, as
 * Linux opens them anew: input from its beginning, the two streams as they are.
 */
static bool
open_standard(const struct open_request *request, uint32_t fd, uint32_t node)
{
    uint32_t device = node_kind(node) == NODE_DEVICE ? node_own(node)->as.device : DEVICE_NULL;

    if (device == DEVICE_STDIN)
        descriptor_open(fd, wasi_state.stdin_node, rights_given(request) & ~WASI_RIGHT_FD_WRITE, 0);
    else if (device == DEVICE_STDOUT || device == DEVICE_STDERR)
        descriptor_open_stream(fd, device == DEVICE_STDERR);
    else
        return false;
    return true;
}

static enum wasi_errno
finish_open(const struct open_request *request, uint32_t fd, const struct lookup *found)
{
    enum wasi_errno error = WASI_OK;

    if ((request->flags & WASI_OPEN_TRUNC) && node_kind(found->node) == NODE_FILE)
        error = truncate_file(found->node);
    if (error != WASI_OK)
        return error;
    if (open_standard(request, fd, found->node))
        return WASI_OK;
    struct descriptor *opened =
        descriptor_open(fd, found->node, rights_given(request), request->directory->inheriting);
    opened->flags = (uint16_t)request->fd_flags;
    return WASI_OK;
}

/* Reading or writing that the directory does not pass on. */
static bool
asks_too_much(const struct open_request *request)
{
    uint64_t mode = request->rights & (WASI_RIGHT_FD_READ | WASI_RIGHT_FD_WRITE);

    return mode & ~(uint64_t)request->directory->inheriting;
}

static enum wasi_errno
open_found(const struct open_request *request, struct lookup *found, uint32_t ret_fd)
{
    bool missing = found->node == NODE_NONE;
    enum wasi_errno error;

    if (asks_too_much(request))
        return WASI_ENOTCAPABLE;
    /* The one missing right that other hosts have another errno for. */
    if ((request->flags & WASI_OPEN_TRUNC) &&
        !(request->directory->rights & WASI_RIGHT_PATH_FILESTAT_SET_SIZE))
        return WASI_EPERM;
    int fd = descriptor_free_number();
    if (fd < 0)
        return WASI_EMFILE;
    if (!guest_has(ret_fd, sizeof(uint32_t)))
        return WASI_EFAULT;
    if (missing)
        error = open_missing(request, found);
    else
        error = open_existing(request, found->node);
    if (error == WASI_OK)
        error = finish_open(request, (uint32_t)fd, found);
    if (error != WASI_OK)
        return error;
    return guest_store_u32(ret_fd, (uint32_t)fd);
}

/* A link is never followed to make what it names anew. */
static enum lookup_mode
mode_of(const struct open_request *request, uint32_t lookup_flags)
{
    bool follow = lookup_flags & WASI_LOOKUP_FOLLOW;

    if (!(request->flags & WASI_OPEN_CREAT))
        return follow ? LOOKUP_FOLLOW : LOOKUP_NOFOLLOW;
    return follow && !(request->flags & WASI_OPEN_EXCL) ? LOOKUP_CREATE : LOOKUP_CREATE_ENTRY;
}

uint32_t
wasi_path_open(uint32_t fd, uint32_t lookup_flags, uint32_t path, uint32_t path_len,
               uint32_t open_flags, uint64_t rights, uint64_t rights_inheriting, uint32_t fd_flags,
               uint32_t ret_fd)
{
    struct open_request request = {
        .flags = open_flags,
        .fd_flags = fd_flags,
        .rights = rights,
    };
    struct lookup found;
    enum wasi_errno error = check_flags(&request, lookup_flags);

    (void)rights_inheriting;
    if (error != WASI_OK)
        return error;
    error = lookup_guest(&found, fd, rights_needed(&request), path, path_len,
                         mode_of(&request, lookup_flags));
    if (error != WASI_OK)
        return error;
    request.directory = descriptor_get(fd);
    return open_found(&request, &found, ret_fd);
}
