#include "worker/wasi/tree.h"

#include <stdbool.h>
#include <string.h>

/* A checker's view of the file: all arithmetic in 64 bits, all of it before any use. */
struct tree_check {
    const struct tree_header *header;
    const struct tree_node *nodes;
    const char *start;
    uint64_t total_bytes;
    uint64_t reached; /* nodes that are some directory's child, and the root */
};

static bool
range_inside(uint64_t offset, uint64_t size, uint64_t total)
{
    return offset <= total && size <= total - offset;
}

static int
compare_names(const struct tree_check *check, const struct tree_node *a, const struct tree_node *b)
{
    size_t shorter = a->name_bytes < b->name_bytes ? a->name_bytes : b->name_bytes;
    int order = memcmp(check->start + a->name_offset, check->start + b->name_offset, shorter);

    if (order != 0)
        return order;
    return a->name_bytes < b->name_bytes ? -1 : a->name_bytes > b->name_bytes;
}

static int
check_header(struct tree_check *check, size_t size, struct err *err)
{
    const struct tree_header *header = check->header;

    if (size < sizeof(*header) || header->magic != TREE_MAGIC)
        return err_set(err, ERR_INVALID, 0, "not a tree of this version");
    if (header->total_bytes > size)
        return err_set(err, ERR_INVALID, 0, "the tree is cut short");
    check->total_bytes = header->total_bytes;
    uint64_t bytes = (uint64_t)header->node_count * sizeof(struct tree_node);
    if (header->node_count == 0 || header->node_count > INT32_MAX ||
        header->nodes_offset % _Alignof(struct tree_node) != 0 ||
        !range_inside(header->nodes_offset, bytes, check->total_bytes))
        return err_set(err, ERR_INVALID, 0, "the tree's nodes lie outside of it");
    return 0;
}

/* "." and "..", slashes and NUL would give a path two meanings. */
static bool
name_is_sound(const char *name, size_t size)
{
    if (size == 0 || size > 255 || memchr(name, '/', size) || memchr(name, '\0', size))
        return false;
    return !(name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.')));
}

/* The children of a directory come after it, so that there can be no cycle. */
static int
check_directory(struct tree_check *check, uint32_t index, struct err *err)
{
    const struct tree_node *node = &check->nodes[index];

    if (!range_inside(node->data_offset, node->data_bytes, check->header->node_count) ||
        (node->data_bytes > 0 && node->data_offset <= index))
        return err_set(err, ERR_INVALID, 0, "node %u of the tree has no valid children", index);
    for (uint64_t i = 1; i < node->data_bytes; i++) {
        const struct tree_node *child = &check->nodes[node->data_offset + i];
        if (compare_names(check, child - 1, child) >= 0)
            return err_set(err, ERR_INVALID, 0, "children of node %u are not sorted", index);
    }
    check->reached += node->data_bytes;
    return 0;
}

static int
check_node(struct tree_check *check, uint32_t index, struct err *err)
{
    const struct tree_node *node = &check->nodes[index];

    if (node->kind != TREE_DIRECTORY && node->kind != TREE_FILE && node->kind != TREE_SYMLINK)
        return err_set(err, ERR_INVALID, 0, "node %u of the tree has no kind", index);
    if (node->kind != TREE_DIRECTORY &&
        !range_inside(node->data_offset, node->data_bytes, check->total_bytes))
        return err_set(err, ERR_INVALID, 0, "the data of node %u lies outside", index);
    if (node->kind == TREE_SYMLINK && (node->data_bytes == 0 || node->data_bytes > 4095))
        return err_set(err, ERR_INVALID, 0, "the target of node %u has no valid length", index);
    if (index == 0)
        return node->kind == TREE_DIRECTORY
                   ? 0
                   : err_set(err, ERR_INVALID, 0, "the tree's root is no directory");
    if (!range_inside(node->name_offset, node->name_bytes, check->total_bytes) ||
        !name_is_sound(check->start + node->name_offset, node->name_bytes))
        return err_set(err, ERR_INVALID, 0, "node %u of the tree has no valid name", index);
    return 0;
}

int
tree_open(struct tree *tree, const void *data, size_t size, struct err *err)
{
    struct tree_check check = {.header = data, .start = data, .reached = 1};

    if (check_header(&check, size, err) < 0)
        return -1;
    check.nodes = (const void *)(check.start + check.header->nodes_offset);
    uint32_t count = check.header->node_count;
    /* Names first: comparing children looks at them. */
    for (uint32_t i = 0; i < count; i++)
        if (check_node(&check, i, err) < 0)
            return -1;
    for (uint32_t i = 0; i < count; i++)
        if (check.nodes[i].kind == TREE_DIRECTORY && check_directory(&check, i, err) < 0)
            return -1;
    if (check.reached != count)
        return err_set(err, ERR_INVALID, 0, "the tree's directories do not hold its nodes");
    *tree = (struct tree){.header = check.header, .nodes = check.nodes, .start = check.start};
    return 0;
}

static int
compare_to_name(const struct tree *tree, const struct tree_node *node, const char *name,
                size_t name_bytes)
{
    size_t shorter = node->name_bytes < name_bytes ? node->name_bytes : name_bytes;
    int order = memcmp(tree->start + node->name_offset, name, shorter);

    if (order != 0)
        return order;
    return node->name_bytes < name_bytes ? -1 : node->name_bytes > name_bytes;
}

int64_t
tree_find(const struct tree *tree, uint32_t directory, const char *name, size_t name_bytes)
{
    uint64_t low = tree->nodes[directory].data_offset;
    uint64_t high = low + tree->nodes[directory].data_bytes;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int order = compare_to_name(tree, &tree->nodes[middle], name, name_bytes);
        if (order == 0)
            return (int64_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}
