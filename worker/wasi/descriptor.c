#include "worker/wasi/descriptor.h"

#include <string.h>

#define RIGHTS_ANY                                                                                 \
    (WASI_RIGHT_FD_FDSTAT_SET_FLAGS | WASI_RIGHT_FD_SYNC | WASI_RIGHT_FD_DATASYNC |                \
     WASI_RIGHT_FD_FILESTAT_GET | WASI_RIGHT_POLL_FD_READWRITE)

#define RIGHTS_STREAM (RIGHTS_ANY | WASI_RIGHT_FD_WRITE)

/* With the right to seek, which tells devices from terminals in wasi-libc. */
#define RIGHTS_DEVICE                                                                              \
    (RIGHTS_ANY | WASI_RIGHT_FD_READ | WASI_RIGHT_FD_WRITE | WASI_RIGHT_FD_SEEK |                  \
     WASI_RIGHT_FD_TELL)

#define RIGHTS_FILE                                                                                \
    (RIGHTS_DEVICE | WASI_RIGHT_FD_ADVISE | WASI_RIGHT_FD_ALLOCATE |                               \
     WASI_RIGHT_FD_FILESTAT_SET_SIZE | WASI_RIGHT_FD_FILESTAT_SET_TIMES)

#define RIGHTS_DIRECTORY                                                                           \
    (RIGHTS_ANY | WASI_RIGHT_FD_READDIR | WASI_RIGHT_FD_FILESTAT_SET_TIMES |                       \
     WASI_RIGHT_PATH_CREATE_DIRECTORY | WASI_RIGHT_PATH_CREATE_FILE |                              \
     WASI_RIGHT_PATH_LINK_SOURCE | WASI_RIGHT_PATH_LINK_TARGET | WASI_RIGHT_PATH_OPEN |            \
     WASI_RIGHT_PATH_READLINK | WASI_RIGHT_PATH_RENAME_SOURCE | WASI_RIGHT_PATH_RENAME_TARGET |    \
     WASI_RIGHT_PATH_FILESTAT_GET | WASI_RIGHT_PATH_FILESTAT_SET_SIZE |                            \
     WASI_RIGHT_PATH_FILESTAT_SET_TIMES | WASI_RIGHT_PATH_SYMLINK |                                \
     WASI_RIGHT_PATH_REMOVE_DIRECTORY | WASI_RIGHT_PATH_UNLINK_FILE)

struct descriptor *
descriptor_get(uint32_t fd)
{
    if (fd >= WASI_DESCRIPTORS || wasi_state.descriptors[fd].kind == DESCRIPTOR_FREE)
        return NULL;
    return &wasi_state.descriptors[fd];
}

enum wasi_errno
descriptor_need(uint32_t fd, uint32_t rights, struct descriptor **descriptor)
{
    *descriptor = descriptor_get(fd);
    if (*descriptor == NULL)
        return WASI_EBADF;
    uint32_t missing = rights & ~(*descriptor)->rights;
    if (missing == 0)
        return WASI_OK;
    if (missing & (WASI_RIGHT_FD_READ | WASI_RIGHT_FD_WRITE))
        return WASI_EBADF;
    return WASI_ENOTCAPABLE;
}

bool
descriptor_is(const struct descriptor *descriptor, enum node_kind kind)
{
    return descriptor->kind == DESCRIPTOR_NODE && node_kind(descriptor->node) == kind;
}

enum wasi_filetype
descriptor_filetype(const struct descriptor *descriptor)
{
    if (descriptor->kind == DESCRIPTOR_STREAM)
        return WASI_FILETYPE_UNKNOWN;
    return node_filetype(descriptor->node);
}

int
descriptor_free_number(void)
{
    for (int fd = 0; fd < WASI_DESCRIPTORS; fd++)
        if (wasi_state.descriptors[fd].kind == DESCRIPTOR_FREE)
            return fd;
    return -1;
}

uint32_t
descriptor_kind_rights(enum node_kind kind)
{
    switch (kind) {
    case NODE_DIRECTORY:
        return RIGHTS_DIRECTORY;
    case NODE_FILE:
        return RIGHTS_FILE;
    case NODE_DEVICE:
        return RIGHTS_DEVICE;
    case NODE_SYMLINK:
    case NODE_FREE:
        break;
    }
    return 0;
}

uint32_t
descriptor_all_rights(void)
{
    return RIGHTS_DIRECTORY | RIGHTS_FILE;
}

struct descriptor *
descriptor_open(uint32_t fd, uint32_t node, uint32_t rights, uint32_t inheriting)
{
    struct descriptor *descriptor = &wasi_state.descriptors[fd];
    enum node_kind kind = node_kind(node);

    node_open(node);
    *descriptor = (struct descriptor){
        .kind = DESCRIPTOR_NODE,
        .node = node,
        .rights = rights & descriptor_kind_rights(kind),
        .inheriting = kind == NODE_DIRECTORY ? inheriting : 0,
    };
    return descriptor;
}

void
descriptor_open_stream(uint32_t fd, uint32_t stream)
{
    wasi_state.descriptors[fd] = (struct descriptor){
        .kind = DESCRIPTOR_STREAM,
        .node = stream,
        .rights = RIGHTS_STREAM,
    };
}

void
descriptor_close(uint32_t fd)
{
    struct descriptor *descriptor = &wasi_state.descriptors[fd];
    uint32_t node = descriptor->node;
    bool has_node = descriptor->kind == DESCRIPTOR_NODE;

    *descriptor = (struct descriptor){.kind = DESCRIPTOR_FREE};
    if (has_node)
        node_close(node);
}
