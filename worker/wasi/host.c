/* The host's beginning: its tables, the tree that every job starts from, the open descriptors. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "common/file_name.h"
#include "common/job.h"
#include "worker/wasi/blocks.h"
#include "worker/wasi/descriptor.h"
#include "worker/wasi/device.h"
#include "worker/wasi/directory.h"
#include "worker/wasi/guest.h"
#include "worker/wasi/outputs.h"

/* Far above what anybody needs, far below what overflows. */
#define NODE_LIMIT_MAX (1u << 24)

/* Every file of the input in a directory of its own, and the program. */
_Static_assert(1 + JOB_FILES_MOST * FILE_NAME_DEPTH <= WASI_INPUT_NODES, "room for the input");

_Alignas(4096) struct wasi_state wasi_state;

/* One mapping: spans, then nodes, then entries, the last two starting with a page each. */
static int
make_tables(uint32_t node_limit, struct err *err)
{
    struct wasi_state *state = &wasi_state;
    const size_t page = 4096;

    state->entry_table = node_limit + WASI_INPUT_NODES + WASI_BUILTIN_NODES + 1;
    state->entry_capacity = state->entry_table;
    /* Files without a name live on while they are open. */
    state->node_capacity = state->entry_table + WASI_DESCRIPTORS;
    size_t spans = (WASI_IOVECS * sizeof(struct guest_span) + page - 1) / page * page;
    size_t nodes = (state->node_capacity * sizeof(struct node) + page - 1) / page * page;
    size_t entries = state->entry_table * sizeof(struct entry);
    char *start = mmap(NULL, spans + nodes + entries, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        return err_set(err, ERR_SYSTEM, errno, "reserving memory for %u files", node_limit);
    state->table_bytes = spans + nodes + entries;
    state->spans = (void *)start;
    state->nodes = (void *)(start + spans);
    state->entries = (void *)(start + spans + nodes);
    state->entry_count = 1; /* number 0 is no entry */
    return 0;
}

/* Beside what stands here now, whose places are not used again. */
static void
set_node_limit(uint32_t node_limit)
{
    struct wasi_state *state = &wasi_state;

    state->entry_free = 0;
    state->entry_capacity = state->entry_table;
    if (node_limit < state->entry_table - state->entry_count)
        state->entry_capacity = state->entry_count + node_limit;
}

/* Over the image's root, if there is one. */
static void
make_root(void)
{
    uint32_t root = node_new(NODE_DIRECTORY, false);
    struct node *node = node_own(root);

    node->links = 1;
    node->as.directory.parent = root;
    node->as.directory.next_union = NODE_NONE;
    wasi_state.union_head = wasi_state.job_root = root;
    if (wasi_state.tree.nodes != NULL)
        node->as.directory.lower = 0;
}

/* NODE_NONE: err is set. */
static uint32_t
make_writable(uint32_t parent, const char *name, struct err *err)
{
    enum wasi_errno error;
    uint32_t id = directory_make(parent, name, strlen(name), NODE_DIRECTORY, &error);

    if (error != WASI_OK) {
        err_set(err, ERR_CONFIG, 0, "no room for the directory %s", name);
        return NODE_NONE;
    }
    node_own(id)->writable = true;
    return id;
}

static int
make_directories(struct err *err)
{
    uint32_t work = make_writable(NODE_ROOT, WASI_OUTPUTS_PARENT, err);

    if (work == NODE_NONE || make_writable(work, WASI_OUTPUTS_NAME, err) == NODE_NONE ||
        make_writable(NODE_ROOT, "tmp", err) == NODE_NONE)
        return -1;
    return 0;
}

/* A file without a name, empty until the job begins. */
static void
make_stdin(void)
{
    wasi_state.stdin_node = node_new(NODE_FILE, false);
    struct node *node = node_own(wasi_state.stdin_node);
    node->links = 1;
    /* Nobody made it; when this process did, is nobody's business. */
    node->atim = node->mtim = node->ctim = 0;
    descriptor_open(0, wasi_state.stdin_node,
                    descriptor_kind_rights(NODE_FILE) &
                        ~(WASI_RIGHT_FD_WRITE | WASI_RIGHT_FD_ALLOCATE |
                          WASI_RIGHT_FD_FILESTAT_SET_SIZE | WASI_RIGHT_FD_FILESTAT_SET_TIMES),
                    0);
}

static void
make_preopen(void)
{
    struct descriptor *descriptor =
        descriptor_open(3, NODE_ROOT, descriptor_all_rights(), descriptor_all_rights());

    wasi_state.preopens[0] = (struct preopen){.name = "/", .name_bytes = 1};
    wasi_state.preopen_count = 1;
    descriptor->preopen = 1;
}

int
wasi_init(const struct wasi_config *config, struct err *err)
{
    memset(&wasi_state, 0, sizeof(wasi_state));
    wasi_state.config = *config;
    if (config->node_limit > NODE_LIMIT_MAX)
        return err_set(err, ERR_CONFIG, 0, "%u files are too many", config->node_limit);
    if (config->tree != NULL &&
        tree_open(&wasi_state.tree, config->tree, config->tree_bytes, err) < 0)
        return err_wrap(err, "reading the image's tree");
    if (make_tables(config->node_limit, err) < 0 ||
        blocks_open(config->work_limit_bytes, wasi_state.node_capacity, err) < 0)
        return -1;
    make_root();
    make_stdin();
    if (device_make_directory(err) < 0 || make_directories(err) < 0)
        return -1;
    set_node_limit(config->node_limit);
    descriptor_open_stream(1, 0);
    descriptor_open_stream(2, 1);
    make_preopen();
    return 0;
}

void
wasi_limit_job(uint64_t work_limit_bytes, uint32_t node_limit)
{
    struct wasi_config *config = &wasi_state.config;

    if (work_limit_bytes < config->work_limit_bytes)
        config->work_limit_bytes = work_limit_bytes;
    if (node_limit < config->node_limit)
        config->node_limit = node_limit;
    set_node_limit(config->node_limit);
}

uint64_t
wasi_mapped_bytes(void)
{
    return wasi_state.table_bytes + (uint64_t)wasi_state.blocks.block_count * WASI_BLOCK_BYTES;
}

uint64_t
wasi_writable_bytes(void)
{
    const struct wasi_state *state = &wasi_state;
    uint32_t files = state->entry_capacity + WASI_DESCRIPTORS;

    return state->table_bytes +
           blocks_needed(state->config.work_limit_bytes, files) * WASI_BLOCK_BYTES;
}
