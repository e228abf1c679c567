/* Requests for fibers: writes to the descriptor FIBER_FD (worker/engine/fiber_abi.h). */
#ifndef RETORT_WASI_FIBER_H
#define RETORT_WASI_FIBER_H

#include <stdint.h>

/* fd_write() to FIBER_FD. */
uint32_t fiber_write(uint32_t iovs, uint32_t iovs_len, uint32_t ret_bytes);

#endif
