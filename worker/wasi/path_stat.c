/* Status and times by path. */
#include "worker/wasi/functions.h"
#include "worker/wasi/guest.h"
#include "worker/wasi/lookup.h"
#include "worker/wasi/times.h"

static enum wasi_errno
find(struct lookup *found, uint32_t fd, uint32_t right, uint32_t lookup_flags, uint32_t path,
     uint32_t path_len)
{
    enum lookup_mode mode = lookup_flags & WASI_LOOKUP_FOLLOW ? LOOKUP_FOLLOW : LOOKUP_NOFOLLOW;

    if (lookup_flags & ~(uint32_t)WASI_LOOKUP_ALL)
        return WASI_EINVAL;
    enum wasi_errno error = lookup_guest(found, fd, right, path, path_len, mode);
    if (error == WASI_OK && found->node == NODE_NONE)
        error = WASI_ENOENT;
    return error;
}

uint32_t
wasi_path_filestat_get(uint32_t fd, uint32_t lookup_flags, uint32_t path, uint32_t path_len,
                       uint32_t ret_stat)
{
    struct lookup found;
    struct wasi_filestat stat;
    enum wasi_errno error =
        find(&found, fd, WASI_RIGHT_PATH_FILESTAT_GET, lookup_flags, path, path_len);

    if (error != WASI_OK)
        return error;
    node_stat(found.node, &stat);
    return guest_store(ret_stat, &stat, sizeof(stat));
}

uint32_t
wasi_path_filestat_set_times(uint32_t fd, uint32_t lookup_flags, uint32_t path, uint32_t path_len,
                             uint64_t atim, uint64_t mtim, uint32_t fst_flags)
{
    struct lookup found;
    enum wasi_errno error =
        find(&found, fd, WASI_RIGHT_PATH_FILESTAT_SET_TIMES, lookup_flags, path, path_len);

    return error == WASI_OK ? times_set(found.node, atim, mtim, fst_flags) : error;
}
