#include "tests/unit/wasi/image.h"

#include <string.h>

#include "worker/wasi/tree.h"

struct spec {
    uint32_t kind;
    const char *name, *data;
    uint64_t first, count;
};

static const struct spec specs[] = {
    {TREE_DIRECTORY, "", NULL, 1, 5},
    {TREE_DIRECTORY, "etc", NULL, 6, 1},
    {TREE_FILE, "hello.txt", "hello, image\n", 0, 0},
    {TREE_DIRECTORY, "lib", NULL, 7, 2},
    {TREE_SYMLINK, "link-out", "../../etc/hosts", 0, 0},
    {TREE_DIRECTORY, "tmp", NULL, 9, 1},
    {TREE_FILE, "hosts", "localhost\n", 0, 0},
    {TREE_SYMLINK, "link", "python/os.py", 0, 0},
    {TREE_DIRECTORY, "python", NULL, 10, 2},
    {TREE_FILE, "hidden", "not to be seen", 0, 0},
    {TREE_FILE, "os.py", "import os\n", 0, 0},
    {TREE_SYMLINK, "up", "../../hello.txt", 0, 0},
};
#define NODES (sizeof(specs) / sizeof(specs[0]))

const void *
test_image(size_t *size)
{
    static _Alignas(64) char file[4096];
    struct tree_header header = {.magic = TREE_MAGIC, .node_count = NODES};
    struct tree_node nodes[NODES];
    size_t at = sizeof(header) + sizeof(nodes);

    memset(file, 0, sizeof(file));
    for (size_t i = 0; i < NODES; i++) {
        const struct spec *spec = &specs[i];
        nodes[i] = (struct tree_node){.kind = spec->kind,
                                      .name_bytes = (uint32_t)strlen(spec->name),
                                      .name_offset = at,
                                      .data_offset = spec->first,
                                      .data_bytes = spec->count};
        memcpy(file + at, spec->name, strlen(spec->name));
        at += strlen(spec->name);
        if (spec->data == NULL)
            continue;
        at = (at + 63) / 64 * 64;
        nodes[i].data_offset = at;
        nodes[i].data_bytes = strlen(spec->data);
        memcpy(file + at, spec->data, strlen(spec->data));
        at += strlen(spec->data);
    }
    header.nodes_offset = sizeof(header);
    header.total_bytes = at;
    header.mtime_ns = 1700000000000000000ull;
    memcpy(file, &header, sizeof(header));
    memcpy(file + sizeof(header), nodes, sizeof(nodes));
    *size = at;
    return file;
}
