/*
 * Cookies: 0 and 1 stand for "." and ".."; 2 + n for the first entry with a serial above n, which
 * stays right whatever is made or removed meanwhile; COOKIE_IMAGE + n for the n-th child of the
 * directory of the image.
 */
#include "worker/wasi/directory.h"

#include <string.h>

#define COOKIE_ENTRIES 2u
#define COOKIE_IMAGE   (1ull << 62)

static struct entry *
entry_at(uint32_t index)
{
    return &wasi_state.entries[index];
}

/* FNV-1a. A guest that makes names collide slows down nobody but itself. */
static uint32_t
hash_name(uint32_t directory, const char *name, size_t name_bytes)
{
    uint32_t hash = 2166136261u ^ directory;

    for (size_t i = 0; i < name_bytes; i++)
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    return hash ^ (hash >> 15);
}

static uint32_t *
bucket_of(uint32_t hash)
{
    return &wasi_state.buckets[hash % WASI_BUCKETS];
}

/* The directory of the image that is seen in this one, or NODE_NONE. */
static uint32_t
image_directory(uint32_t directory)
{
    return directory & NODE_OWN ? node_own(directory)->as.directory.lower : directory;
}

uint32_t
directory_find_entry(uint32_t directory, const char *name, size_t name_bytes)
{
    uint32_t hash = hash_name(directory, name, name_bytes);

    for (uint32_t i = *bucket_of(hash); i != 0; i = entry_at(i)->chain) {
        const struct entry *entry = entry_at(i);
        if (entry->hash == hash && entry->directory == directory &&
            entry->name_bytes == name_bytes && memcmp(entry->name, name, name_bytes) == 0)
            return i;
    }
    return 0;
}

uint32_t
directory_find(uint32_t directory, const char *name, size_t name_bytes)
{
    if (directory & NODE_OWN) {
        uint32_t entry = directory_find_entry(directory, name, name_bytes);
        if (entry != 0)
            return entry_at(entry)->node;
    }
    uint32_t image = image_directory(directory);
    if (image == NODE_NONE)
        return NODE_NONE;
    int64_t child = tree_find(&wasi_state.tree, image, name, name_bytes);
    return child < 0 ? NODE_NONE : (uint32_t)child;
}

bool
directory_is_empty(uint32_t directory)
{
    uint32_t image = image_directory(directory);

    if (image != NODE_NONE && wasi_state.tree.nodes[image].data_bytes > 0)
        return false;
    return !(directory & NODE_OWN) || node_own(directory)->as.directory.first == 0;
}

/* The image does not say: it is searched, since ".." inside the image is rare. */
static uint32_t
image_parent(uint32_t id)
{
    const struct tree *tree = &wasi_state.tree;

    for (uint32_t i = 0; i < id; i++) {
        const struct tree_node *node = &tree->nodes[i];
        if (node->kind == TREE_DIRECTORY && id >= node->data_offset &&
            id - node->data_offset < node->data_bytes)
            return i;
    }
    return 0;
}

uint32_t
directory_parent(uint32_t directory)
{
    if (directory & NODE_OWN)
        return node_own(directory)->as.directory.parent;
    uint32_t parent = image_parent(directory);
    for (uint32_t i = wasi_state.union_head; i != NODE_NONE;) {
        const struct node *node = node_own(i);
        if (node->as.directory.lower == parent)
            return i;
        i = node->as.directory.next_union;
    }
    return parent;
}

static uint32_t
entry_new(void)
{
    struct wasi_state *state = &wasi_state;
    uint32_t index = state->entry_free;

    if (index != 0)
        state->entry_free = entry_at(index)->chain;
    else if (state->entry_count < state->entry_capacity)
        index = state->entry_count++;
    return index;
}

static void
append_entry(struct node *directory, uint32_t index)
{
    struct entry *entry = entry_at(index);

    entry->next = 0;
    entry->previous = directory->as.directory.last;
    if (entry->previous != 0)
        entry_at(entry->previous)->next = index;
    else
        directory->as.directory.first = index;
    directory->as.directory.last = index;
}

enum wasi_errno
directory_add(uint32_t directory, const char *name, size_t name_bytes, uint32_t node)
{
    if (name_bytes > WASI_NAME_BYTES)
        return WASI_ENAMETOOLONG;
    uint32_t index = entry_new();
    if (index == 0)
        return WASI_ENOSPC;
    struct entry *entry = entry_at(index);
    entry->serial = ++wasi_state.entry_serial;
    entry->directory = directory;
    entry->node = node;
    entry->hash = hash_name(directory, name, name_bytes);
    entry->name_bytes = (uint8_t)name_bytes;
    memcpy(entry->name, name, name_bytes);
    entry->chain = *bucket_of(entry->hash);
    *bucket_of(entry->hash) = index;

    struct node *parent = node_own(directory), *child = node_own(node);
    append_entry(parent, index);
    child->links++;
    if (child->kind == NODE_DIRECTORY)
        child->as.directory.parent = directory;
    parent->mtim = parent->ctim = child->ctim = node_now();
    return WASI_OK;
}

static void
unlink_entry(struct node *directory, uint32_t index)
{
    struct entry *entry = entry_at(index);

    if (entry->previous != 0)
        entry_at(entry->previous)->next = entry->next;
    else
        directory->as.directory.first = entry->next;
    if (entry->next != 0)
        entry_at(entry->next)->previous = entry->previous;
    else
        directory->as.directory.last = entry->previous;
}

void
directory_remove(uint32_t index)
{
    struct entry *entry = entry_at(index);
    struct node *parent = node_own(entry->directory), *child = node_own(entry->node);
    uint32_t *link = bucket_of(entry->hash);

    while (*link != index)
        link = &entry_at(*link)->chain;
    *link = entry->chain;
    unlink_entry(parent, index);
    parent->mtim = parent->ctim = child->ctim = node_now();
    child->links--;
    /* A removed directory may live on in a descriptor, and its parent may not. */
    if (child->kind == NODE_DIRECTORY)
        child->as.directory.parent = entry->node;
    node_release(entry->node);
    entry->directory = NODE_NONE;
    entry->chain = wasi_state.entry_free;
    wasi_state.entry_free = index;
}

uint32_t
directory_make(uint32_t directory, const char *name, size_t name_bytes, enum node_kind kind,
               enum wasi_errno *error)
{
    uint32_t id = node_new(kind, node_own(directory)->writable);

    *error = id == NODE_NONE ? WASI_ENOSPC : directory_add(directory, name, name_bytes, id);
    if (*error == WASI_OK)
        return id;
    if (id != NODE_NONE)
        node_release(id);
    return NODE_NONE;
}

/* The first entry with a serial above the given one, or 0. */
static uint32_t
entry_after(uint32_t directory, uint64_t serial, uint32_t hint)
{
    uint32_t i = node_own(directory)->as.directory.first;

    if (hint != 0 && entry_at(hint)->directory == directory && entry_at(hint)->serial <= serial)
        i = hint;
    while (i != 0 && entry_at(i)->serial <= serial)
        i = entry_at(i)->next;
    return i;
}

static bool
image_item_at(uint32_t directory, uint64_t position, struct directory_item *item)
{
    uint32_t image = image_directory(directory);

    if (image == NODE_NONE)
        return false;
    const struct tree_node *parent = &wasi_state.tree.nodes[image];
    for (; position < parent->data_bytes; position++) {
        const struct tree_node *child = &wasi_state.tree.nodes[parent->data_offset + position];
        const char *name = wasi_state.tree.start + child->name_offset;
        if ((directory & NODE_OWN) && directory_find_entry(directory, name, child->name_bytes) != 0)
            continue;
        *item = (struct directory_item){
            .next_cookie = COOKIE_IMAGE + position + 1,
            .node = (uint32_t)(parent->data_offset + position),
            .name = name,
            .name_bytes = child->name_bytes,
        };
        return true;
    }
    return false;
}

bool
directory_item_at(uint32_t directory, uint64_t cookie, uint32_t hint, struct directory_item *item)
{
    if (cookie < COOKIE_ENTRIES) {
        *item = (struct directory_item){
            .next_cookie = cookie + 1,
            .node = cookie == 0 ? directory : directory_parent(directory),
            .name = "..",
            .name_bytes = cookie + 1,
        };
        return true;
    }
    if (cookie >= COOKIE_IMAGE)
        return image_item_at(directory, cookie - COOKIE_IMAGE, item);
    uint32_t index = 0;
    if (directory & NODE_OWN)
        index = entry_after(directory, cookie - COOKIE_ENTRIES, hint);
    if (index == 0)
        return image_item_at(directory, 0, item);
    const struct entry *entry = entry_at(index);
    *item = (struct directory_item){
        .next_cookie = COOKIE_ENTRIES + entry->serial,
        .node = entry->node,
        .entry = index,
        .name = entry->name,
        .name_bytes = entry->name_bytes,
    };
    return true;
}
