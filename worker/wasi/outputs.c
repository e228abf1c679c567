#include "worker/wasi/outputs.h"

#include <string.h>

#include "worker/wasi/contents.h"
#include "worker/wasi/directory.h"

static const struct entry *
entry_at(uint32_t index)
{
    return &wasi_state.entries[index];
}

/* A number that a torn list holds may be any. */
static uint32_t
sound(uint32_t entry)
{
    return entry < wasi_state.entry_count ? entry : 0;
}

static uint32_t
first_of(uint32_t directory)
{
    return sound(node_own(directory)->as.directory.first);
}

static bool
node_is_sound(uint32_t id)
{
    return (id & NODE_OWN) && (id & ~NODE_OWN) < wasi_state.node_count;
}

static uint32_t
find_outputs(void)
{
    uint32_t work = directory_find(NODE_ROOT, WASI_OUTPUTS_PARENT, strlen(WASI_OUTPUTS_PARENT));

    if (work == NODE_NONE || !node_is_sound(work) || node_kind(work) != NODE_DIRECTORY)
        return NODE_NONE;
    uint32_t entry = directory_find_entry(work, WASI_OUTPUTS_NAME, strlen(WASI_OUTPUTS_NAME));
    uint32_t outputs = entry == 0 ? NODE_NONE : entry_at(entry)->node;
    if (outputs == NODE_NONE || !node_is_sound(outputs) || node_kind(outputs) != NODE_DIRECTORY)
        return NODE_NONE;
    return outputs;
}

bool
outputs_begin(struct output_walk *walk)
{
    uint32_t outputs = find_outputs();

    if (outputs == NODE_NONE || first_of(outputs) == 0)
        return false;
    walk->entry = first_of(outputs);
    walk->left = wasi_state.entry_count;
    walk->depth = 0;
    walk->path_bytes = 0;
    return true;
}

/* The directory is done: on with what comes after it in the one above. */
static void
leave_directory(struct output_walk *walk)
{
    uint32_t entry = walk->above[--walk->depth];

    walk->path_bytes -= (size_t)entry_at(entry)->name_bytes + 1;
    walk->entry = sound(entry_at(entry)->next);
}

/* The path of the entry in the walk's buffer; false when it does not fit, cut then. */
static bool
add_name(struct output_walk *walk, const struct entry *entry, struct output *output)
{
    size_t room = sizeof(walk->path) - walk->path_bytes, name_bytes = entry->name_bytes;
    bool fits = name_bytes <= room;

    memcpy(walk->path + walk->path_bytes, entry->name, fits ? name_bytes : room);
    output->path = walk->path;
    output->path_bytes = walk->path_bytes + (fits ? name_bytes : room);
    return fits;
}

/* False when there is no room for its slash and a name in it. */
static bool
enter_directory(struct output_walk *walk, uint32_t entry, const struct output *output)
{
    if (output->path_bytes + 1 >= sizeof(walk->path))
        return false;
    walk->above[walk->depth++] = entry;
    walk->path[output->path_bytes] = '/';
    walk->path_bytes = output->path_bytes + 1;
    walk->entry = first_of(entry_at(entry)->node);
    return true;
}

static enum output_kind
kind_of(uint32_t node)
{
    switch (node_kind(node)) {
    case NODE_FILE:
        return OUTPUT_FILE;
    case NODE_SYMLINK:
        return OUTPUT_LINK;
    case NODE_DIRECTORY:
    case NODE_DEVICE:
    case NODE_FREE:
        break;
    }
    return OUTPUT_OTHER;
}

bool
outputs_next(struct output_walk *walk, struct output *output)
{
    for (;;) {
        while (walk->entry == 0 && walk->depth > 0)
            leave_directory(walk);
        if (walk->entry == 0 || walk->left == 0)
            return false;
        uint32_t index = walk->entry;
        const struct entry *entry = entry_at(index);
        walk->left--;
        walk->entry = sound(entry->next);
        if (!node_is_sound(entry->node))
            continue;
        bool fits = add_name(walk, entry, output);
        bool directory = node_kind(entry->node) == NODE_DIRECTORY;
        if (directory && fits &&
            (first_of(entry->node) == 0 || enter_directory(walk, index, output)))
            continue;
        output->node = entry->node;
        output->size = directory ? 0 : node_size(entry->node);
        output->kind = fits && !directory ? kind_of(entry->node) : OUTPUT_TOO_LONG;
        return true;
    }
}

void
outputs_read(const struct output *output, char *buffer, size_t size)
{
    (void)contents_read(output->node, 0, buffer, size);
}
