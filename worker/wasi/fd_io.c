/* Reading, writing and the position of descriptors. */
#include "worker/engine/fiber_abi.h"
#include "worker/wasi/contents.h"
#include "worker/wasi/descriptor.h"
#include "worker/wasi/device.h"
#include "worker/wasi/fiber.h"
#include "worker/wasi/functions.h"
#include "worker/wasi/guest.h"

static bool
has_bytes(const struct guest_iovecs *iovecs)
{
    for (uint32_t i = 0; i < iovecs->count; i++)
        if (iovecs->spans[i].size > 0)
            return true;
    return false;
}

static uint32_t
read_node(uint32_t node, uint64_t offset, const struct guest_iovecs *iovecs)
{
    bool device = node_kind(node) == NODE_DEVICE;
    uint32_t done = 0;

    for (uint32_t i = 0; i < iovecs->count; i++) {
        const struct guest_span *span = &iovecs->spans[i];
        size_t got = device ? device_read((enum device)node_own(node)->as.device, offset + done,
                                          span->data, span->size)
                            : contents_read(node, offset + done, span->data, span->size);
        done += (uint32_t)got;
        if (got < span->size)
            break;
    }
    return done;
}

static enum wasi_errno
write_node(uint32_t id, uint64_t offset, const struct guest_iovecs *iovecs, uint32_t *written)
{
    struct node *node = node_own(id);
    bool device = node->kind == NODE_DEVICE;

    *written = 0;
    for (uint32_t i = 0; i < iovecs->count; i++) {
        const struct guest_span *span = &iovecs->spans[i];
        size_t put = span->size;
        if (put == 0)
            continue;
        enum wasi_errno error =
            device ? device_write((enum device)node->as.device, span->data, span->size)
                   : contents_write(node, offset + *written, span->data, span->size, &put);
        if (error != WASI_OK)
            return *written > 0 ? WASI_OK : error;
        *written += (uint32_t)put;
        if (put < span->size)
            break;
    }
    if (!device && *written > 0)
        node->mtim = node->ctim = node_now();
    return WASI_OK;
}

static void
write_stream(uint32_t stream, const struct guest_iovecs *iovecs, uint32_t *written)
{
    const struct wasi_sink *sink = &wasi_state.config.sink;

    *written = 0;
    for (uint32_t i = 0; i < iovecs->count; i++) {
        const struct guest_span *span = &iovecs->spans[i];
        if (span->size > 0)
            sink->write(sink->context, (int)stream, span->data, span->size);
        *written += (uint32_t)span->size;
    }
}

/* As in other hosts, a directory is not a descriptor that could be read as bytes or written. */
static enum wasi_errno
need_bytes(uint32_t fd, uint32_t rights, struct descriptor **descriptor)
{
    *descriptor = descriptor_get(fd);
    if (*descriptor == NULL || descriptor_is(*descriptor, NODE_DIRECTORY))
        return WASI_EBADF;
    return descriptor_need(fd, rights, descriptor);
}

/* The guest's buffers, and a place for the count: asked for before a byte moves. */
static enum wasi_errno
need_buffers(struct guest_iovecs *iovecs, uint32_t iovs, uint32_t iovs_len, uint32_t ret_bytes)
{
    enum wasi_errno error = guest_read_iovecs(iovecs, iovs, iovs_len);

    if (error == WASI_OK && !guest_has(ret_bytes, sizeof(uint32_t)))
        error = WASI_EFAULT;
    return error;
}

uint32_t
wasi_fd_read(uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint32_t ret_bytes)
{
    struct descriptor *descriptor;
    struct guest_iovecs iovecs;
    enum wasi_errno error = need_bytes(fd, WASI_RIGHT_FD_READ, &descriptor);

    if (error == WASI_OK)
        error = need_buffers(&iovecs, iovs, iovs_len, ret_bytes);
    if (error != WASI_OK)
        return error;
    if (descriptor_is(descriptor, NODE_DEVICE) && has_bytes(&iovecs))
        device_await((enum device)node_own(descriptor->node)->as.device);
    uint32_t done = read_node(descriptor->node, descriptor->offset, &iovecs);
    descriptor->offset += done;
    return guest_store_u32(ret_bytes, done);
}

uint32_t
wasi_fd_write(uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint32_t ret_bytes)
{
    struct descriptor *descriptor;
    struct guest_iovecs iovecs;
    uint32_t done;

    if (fd == FIBER_FD)
        return fiber_write(iovs, iovs_len, ret_bytes);
    enum wasi_errno error = need_bytes(fd, WASI_RIGHT_FD_WRITE, &descriptor);
    if (error == WASI_OK)
        error = need_buffers(&iovecs, iovs, iovs_len, ret_bytes);
    if (error != WASI_OK)
        return error;
    if (descriptor->kind == DESCRIPTOR_STREAM) {
        write_stream(descriptor->node, &iovecs, &done);
        return guest_store_u32(ret_bytes, done);
    }
    if (descriptor->flags & WASI_FDFLAG_APPEND)
        descriptor->offset = node_size(descriptor->node);
    error = write_node(descriptor->node, descriptor->offset, &iovecs, &done);
    if (error != WASI_OK)
        return error;
    descriptor->offset += done;
    return guest_store_u32(ret_bytes, done);
}

/* What pread and pwrite ask for: a place in a file. */
static enum wasi_errno
need_place(uint32_t fd, uint32_t rights, uint64_t offset, struct descriptor **descriptor)
{
    *descriptor = descriptor_get(fd);
    if (*descriptor != NULL && (*descriptor)->kind == DESCRIPTOR_STREAM)
        return WASI_ESPIPE;
    enum wasi_errno error = need_bytes(fd, rights, descriptor);
    if (error != WASI_OK)
        return error;
    if (!((*descriptor)->rights & WASI_RIGHT_FD_SEEK))
        return WASI_ENOTCAPABLE;
    if (descriptor_is(*descriptor, NODE_DEVICE))
        return WASI_ESPIPE;
    return offset > INT64_MAX ? WASI_EINVAL : WASI_OK;
}

uint32_t
wasi_fd_pread(uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint64_t offset, uint32_t ret_bytes)
{
    struct descriptor *descriptor;
    struct guest_iovecs iovecs;
    enum wasi_errno error = need_place(fd, WASI_RIGHT_FD_READ, offset, &descriptor);

    if (error == WASI_OK)
        error = need_buffers(&iovecs, iovs, iovs_len, ret_bytes);
    if (error != WASI_OK)
        return error;
    return guest_store_u32(ret_bytes, read_node(descriptor->node, offset, &iovecs));
}

uint32_t
wasi_fd_pwrite(uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint64_t offset, uint32_t ret_bytes)
{
    struct descriptor *descriptor;
    struct guest_iovecs iovecs;
    uint32_t done;
    enum wasi_errno error = need_place(fd, WASI_RIGHT_FD_WRITE, offset, &descriptor);

    if (error == WASI_OK)
        error = need_buffers(&iovecs, iovs, iovs_len, ret_bytes);
    if (error == WASI_OK)
        error = write_node(descriptor->node, offset, &iovecs, &done);
    if (error != WASI_OK)
        return error;
    return guest_store_u32(ret_bytes, done);
}

/* Streams have no position; directories have none that a guest may use. */
static enum wasi_errno
need_position(uint32_t fd, uint32_t rights, struct descriptor **descriptor)
{
    *descriptor = descriptor_get(fd);
    if (*descriptor == NULL)
        return WASI_EBADF;
    if ((*descriptor)->kind == DESCRIPTOR_STREAM)
        return WASI_ESPIPE;
    if (descriptor_is(*descriptor, NODE_DIRECTORY))
        return WASI_EBADF;
    return descriptor_need(fd, rights, descriptor);
}

static enum wasi_errno
new_position(const struct descriptor *descriptor, int64_t delta, uint32_t whence, int64_t *result)
{
    int64_t start;

    switch (whence) {
    case WASI_WHENCE_SET:
        start = 0;
        break;
    case WASI_WHENCE_CUR:
        start = (int64_t)descriptor->offset;
        break;
    case WASI_WHENCE_END:
        start = (int64_t)node_size(descriptor->node);
        break;
    default:
        return WASI_EINVAL;
    }
    if (__builtin_add_overflow(start, delta, result))
        return WASI_EOVERFLOW;
    return *result < 0 ? WASI_EINVAL : WASI_OK;
}

uint32_t
wasi_fd_seek(uint32_t fd, uint64_t offset, uint32_t whence, uint32_t ret_offset)
{
    struct descriptor *descriptor;
    int64_t position;
    /* Asking where one is needs no more than the right to be told. */
    bool asks = offset == 0 && whence == WASI_WHENCE_CUR;
    enum wasi_errno error =
        need_position(fd, asks ? WASI_RIGHT_FD_TELL : WASI_RIGHT_FD_SEEK, &descriptor);

    if (error == WASI_OK && !guest_has(ret_offset, sizeof(uint64_t)))
        error = WASI_EFAULT;
    if (error == WASI_OK)
        error = new_position(descriptor, (int64_t)offset, whence, &position);
    if (error != WASI_OK)
        return error;
    if (descriptor_is(descriptor, NODE_DEVICE))
        return guest_store_u64(ret_offset, 0);
    descriptor->offset = (uint64_t)position;
    return guest_store_u64(ret_offset, (uint64_t)position);
}

uint32_t
wasi_fd_tell(uint32_t fd, uint32_t ret_offset)
{
    struct descriptor *descriptor;
    enum wasi_errno error = need_position(fd, WASI_RIGHT_FD_TELL, &descriptor);

    if (error != WASI_OK)
        return error;
    bool device = descriptor_is(descriptor, NODE_DEVICE);
    return guest_store_u64(ret_offset, device ? 0 : descriptor->offset);
}
