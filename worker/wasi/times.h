/* Setting the times of files, by descriptor or by path. */
#ifndef RETORT_WASI_TIMES_H
#define RETORT_WASI_TIMES_H

#include "worker/wasi/node.h"

/* fst_flags: WASI_FST_*. WASI_EROFS for what the guest may not write to. */
enum wasi_errno times_set(uint32_t node, uint64_t atim, uint64_t mtim, uint32_t fst_flags);

#endif
