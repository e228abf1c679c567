/* libs: libretort-sandbox.a */
/* Image trees: what tree_open() accepts, every look into it survives. */
#include <stdlib.h>
#include <string.h>

#include "worker/wasi/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    struct tree tree;
    void *copy = aligned_alloc(64, (size + 64) / 64 * 64);

    memcpy(copy, data, size);
    if (tree_open(&tree, copy, size, &err) == 0)
        for (uint32_t i = 0; i < tree.header->node_count; i++) {
            const struct tree_node *node = &tree.nodes[i];
            if (node->kind == TREE_DIRECTORY)
                tree_find(&tree, i, "python", 6);
            else if (node->data_bytes > 0 && tree.start[node->data_offset] == tree.start[0])
                tree_find(&tree, 0, tree.start + node->name_offset, node->name_bytes);
        }
    free(copy);
    return 0;
}
