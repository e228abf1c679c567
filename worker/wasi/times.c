#include "worker/wasi/times.h"

enum wasi_errno
times_set(uint32_t id, uint64_t atim, uint64_t mtim, uint32_t fst_flags)
{
    const uint32_t both_atim = WASI_FST_ATIM | WASI_FST_ATIM_NOW;
    const uint32_t both_mtim = WASI_FST_MTIM | WASI_FST_MTIM_NOW;

    if ((fst_flags & ~(uint32_t)WASI_FST_ALL) || (fst_flags & both_atim) == both_atim ||
        (fst_flags & both_mtim) == both_mtim)
        return WASI_EINVAL;
    if (!node_writable(id))
        return WASI_EROFS;
    struct node *node = node_own(id);
    uint64_t now = node_now();
    if (fst_flags & both_atim)
        node->atim = fst_flags & WASI_FST_ATIM_NOW ? now : atim;
    if (fst_flags & both_mtim)
        node->mtim = fst_flags & WASI_FST_MTIM_NOW ? now : mtim;
    node->ctim = now;
    return WASI_OK;
}
