#include "worker/wasi/fiber.h"

#include <string.h>

#include "worker/engine/fiber.h"
#include "worker/engine/fiber_abi.h"
#include "worker/wasi/guest.h"
#include "worker/wasi/state.h"

/* A copy: what the guest does to its own while fibers change has no effect. */
static bool
read_request(struct fiber_request *request, uint32_t iovs, uint32_t iovs_len)
{
    struct guest_iovecs iovecs;

    if (iovs_len != 1 || guest_read_iovecs(&iovecs, iovs, iovs_len) != WASI_OK ||
        iovecs.spans[0].size != sizeof(*request))
        return false;
    memcpy(request, iovecs.spans[0].data, sizeof(*request));
    return true;
}

uint32_t
fiber_write(uint32_t iovs, uint32_t iovs_len, uint32_t ret_bytes)
{
    struct fiber_request request;

    /* Whatever is no request meets a descriptor that is not open. */
    if (wasi_state.config.hooks.fiber == NULL || !read_request(&request, iovs, iovs_len) ||
        !guest_has(ret_bytes, sizeof(uint32_t)))
        return WASI_EBADF;
    switch (wasi_state.config.hooks.fiber(&request)) {
    case ENGINE_FIBER_OK:
        return guest_store_u32(ret_bytes, sizeof(request));
    case ENGINE_FIBER_INVALID:
        return WASI_EINVAL;
    case ENGINE_FIBER_NO_MEMORY:
        return WASI_EAGAIN;
    case ENGINE_FIBER_NOT_ALLOWED:
        break;
    }
    return WASI_EBADF;
}
