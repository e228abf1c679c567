/* Reading directories. */
#include <string.h>

#include "worker/wasi/descriptor.h"
#include "worker/wasi/directory.h"
#include "worker/wasi/functions.h"
#include "worker/wasi/guest.h"

/* Copies as much as fits: a guest sees by the filled buffer that there is more. */
struct listing {
    char *buffer;
    uint32_t size, used;
};

static void
put(struct listing *listing, const void *data, size_t size)
{
    uint32_t room = listing->size - listing->used;
    uint32_t part = size < room ? (uint32_t)size : room;

    memcpy(listing->buffer + listing->used, data, part);
    listing->used += part;
}

static void
put_item(struct listing *listing, const struct directory_item *item)
{
    struct wasi_dirent dirent = {
        .next = item->next_cookie,
        .ino = node_inode(item->node),
        .namlen = (uint32_t)item->name_bytes,
        .type = (uint8_t)node_filetype(item->node),
    };

    put(listing, &dirent, sizeof(dirent));
    put(listing, item->name, item->name_bytes);
}

uint32_t
wasi_fd_readdir(uint32_t fd, uint32_t buf, uint32_t buf_len, uint64_t cookie, uint32_t ret_bytes)
{
    struct descriptor *descriptor = descriptor_get(fd);
    struct listing listing = {.buffer = guest_at(buf, buf_len), .size = buf_len};
    struct directory_item item;

    if (descriptor == NULL)
        return WASI_EBADF;
    if (!descriptor_is(descriptor, NODE_DIRECTORY))
        return WASI_ENOTDIR;
    if (!(descriptor->rights & WASI_RIGHT_FD_READDIR))
        return WASI_ENOTCAPABLE;
    if (listing.buffer == NULL || !guest_has(ret_bytes, sizeof(uint32_t)))
        return WASI_EFAULT;
    uint32_t hint = descriptor->entry_hint;
    while (listing.used < listing.size &&
           directory_item_at(descriptor->node, cookie, hint, &item)) {
        put_item(&listing, &item);
        cookie = item.next_cookie;
        /* The last one is likely to be cut off and asked for again. */
        descriptor->entry_hint = hint;
        hint = item.entry;
    }
    return guest_store_u32(ret_bytes, listing.used);
}
