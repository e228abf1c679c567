#include "worker/wasi/guest.h"

#include <string.h>

#include "worker/engine/engine.h"
#include "worker/wasi/state.h"

void *
guest_at(uint32_t address, uint64_t size)
{
    static char nothing;

    /* Guests pass NULL with an empty buffer, and address 0 may be unmapped. */
    if (size == 0)
        return &nothing;
    return engine_memory_at(address, size);
}

bool
guest_has(uint32_t address, uint64_t size)
{
    return guest_at(address, size) != NULL;
}

enum wasi_errno
guest_store(uint32_t address, const void *value, size_t size)
{
    void *place = guest_at(address, size);

    if (place == NULL)
        return WASI_EFAULT;
    memcpy(place, value, size);
    return WASI_OK;
}

enum wasi_errno
guest_store_u32(uint32_t address, uint32_t value)
{
    return guest_store(address, &value, sizeof(value));
}

enum wasi_errno
guest_store_u64(uint32_t address, uint64_t value)
{
    return guest_store(address, &value, sizeof(value));
}

enum wasi_errno
guest_read_iovecs(struct guest_iovecs *iovecs, uint32_t address, uint32_t count)
{
    if (count > WASI_IOVECS)
        return WASI_EINVAL;
    const char *array = guest_at(address, (uint64_t)count * sizeof(struct wasi_iovec));
    if (array == NULL)
        return WASI_EFAULT;
    iovecs->count = count;
    iovecs->spans = count <= GUEST_FEW_SPANS ? iovecs->few : wasi_state.spans;
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct wasi_iovec iovec;
        memcpy(&iovec, array + i * sizeof(iovec), sizeof(iovec));
        total += iovec.buf_len;
        iovecs->spans[i].data = guest_at(iovec.buf, iovec.buf_len);
        iovecs->spans[i].size = iovec.buf_len;
        if (iovecs->spans[i].data == NULL)
            return WASI_EFAULT;
    }
    return total > UINT32_MAX ? WASI_EINVAL : WASI_OK;
}
