/* Access to the guest's linear memory: every pointer that a guest passes goes through here. */
#ifndef RETORT_WASI_GUEST_H
#define RETORT_WASI_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/wasi/abi.h"

struct guest_span {
    char *data;
    size_t size;
};

#define GUEST_FEW_SPANS 8

/* A checked snapshot of an iovec array. Points into itself or to wasi_state: do not copy. */
struct guest_iovecs {
    struct guest_span *spans;
    uint32_t count;
    struct guest_span few[GUEST_FEW_SPANS];
};

/* The host address of [address, address + size), or NULL. Never NULL for size 0. */
void *guest_at(uint32_t address, uint64_t size);

/* Unaligned addresses are fine. WASI_EFAULT when any byte lies outside. */
enum wasi_errno guest_store(uint32_t address, const void *value, size_t size);
enum wasi_errno guest_store_u32(uint32_t address, uint32_t value);
enum wasi_errno guest_store_u64(uint32_t address, uint64_t value);
/* For results whose place should be checked before the call has an effect. */
bool guest_has(uint32_t address, uint64_t size);

/*
 * Reads and checks the array and every buffer that it names, once: what a guest's own data may do
 * to the array while it is read into the buffers has no effect. WASI_EINVAL past WASI_IOVECS or
 * when the sum does not fit in 32 bits.
 */
enum wasi_errno guest_read_iovecs(struct guest_iovecs *iovecs, uint32_t address, uint32_t count);

#endif
