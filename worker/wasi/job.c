/*
 * A job's records stay where they are, in memory shared with the worker: arguments are read from
 * there each time, and files borrow their contents from there.
 */
#include "worker/wasi/job.h"

#include <string.h>

#include "worker/job_memory.h"
#include "worker/wasi/contents.h"
#include "worker/wasi/descriptor.h"
#include "worker/wasi/device.h"
#include "worker/wasi/directory.h"

#define ROOT_FD 3 /* where the root stands open when the guest boots */

struct job_strings
job_arguments(void)
{
    const struct wasi_state *state = &wasi_state;

    return (struct job_strings){
        .next = state->replace_args ? NULL : state->config.argv,
        .type = JOB_RECORD_ARG,
    };
}

struct job_strings
job_environment(void)
{
    const struct wasi_state *state = &wasi_state;

    return (struct job_strings){
        .next = state->replace_args ? NULL : state->config.env,
        .type = JOB_RECORD_ENV,
    };
}

bool
job_next_string(struct job_strings *strings, const char **text, size_t *text_bytes)
{
    struct job_record_view view;

    if (strings->next != NULL) {
        *text = *strings->next;
        if (*text == NULL)
            return false;
        strings->next++;
        *text_bytes = strlen(*text);
        return true;
    }
    if (wasi_state.input == NULL)
        return false;
    while (job_memory_next_record(wasi_state.input, &strings->cursor, &view) == 1) {
        if ((uint32_t)view.type == strings->type) {
            *text = view.data;
            *text_bytes = view.data_bytes;
            return true;
        }
    }
    return false;
}

size_t
job_read_strings(uint32_t type, uint64_t offset, char *buffer, size_t size)
{
    struct job_strings strings = {.type = type};
    const char *text;
    size_t text_bytes, done = 0;

    while (done < size && job_next_string(&strings, &text, &text_bytes)) {
        if (offset > text_bytes) {
            offset -= text_bytes + 1;
            continue;
        }
        size_t part = text_bytes - (size_t)offset;
        if (part > size - done)
            part = size - done;
        memcpy(buffer + done, text + offset, part);
        done += part;
        if (offset + part == text_bytes && done < size)
            buffer[done++] = '\0';
        offset = 0;
    }
    return done;
}

/* A directory of our own for the name in one of our own; an image's is laid under it. */
static uint32_t
make_directory(uint32_t parent, const char *name, size_t name_bytes, enum wasi_errno *error)
{
    uint32_t found = directory_find(parent, name, name_bytes);

    *error = WASI_OK;
    if (found != NODE_NONE && node_kind(found) != NODE_DIRECTORY)
        *error = WASI_ENOTDIR;
    if (*error != WASI_OK || (found != NODE_NONE && (found & NODE_OWN)))
        return found;
    uint32_t made = directory_make(parent, name, name_bytes, NODE_DIRECTORY, error);
    if (*error != WASI_OK)
        return NODE_NONE;
    struct node *node = node_own(made);
    /* What is the image's stays read-only; what only the job has is the job's. */
    node->writable = found == NODE_NONE;
    if (found != NODE_NONE) {
        node->as.directory.lower = found;
        node->as.directory.next_union = wasi_state.union_head;
        wasi_state.union_head = made;
    }
    return made;
}

static enum wasi_errno
make_file(uint32_t parent, const char *name, size_t name_bytes, const struct job_record_view *view)
{
    uint32_t entry = directory_find_entry(parent, name, name_bytes);
    enum wasi_errno error;

    if (entry != 0 && node_kind(wasi_state.entries[entry].node) != NODE_FILE)
        return WASI_EEXIST;
    if (entry != 0)
        directory_remove(entry);
    uint32_t id = directory_make(parent, name, name_bytes, NODE_FILE, &error);
    if (error != WASI_OK)
        return error;
    node_own(id)->writable = true;
    contents_borrow(node_own(id), view->data, view->data_bytes);
    return WASI_OK;
}

/* A directory that a module finds open when it starts. */
static enum wasi_errno
make_preopen(uint32_t directory, const char *name, size_t name_bytes)
{
    struct wasi_state *state = &wasi_state;
    int fd = descriptor_free_number();

    if (fd < 0 || state->preopen_count == WASI_PREOPENS)
        return WASI_EMFILE;
    state->preopens[state->preopen_count++] =
        (struct preopen){.name = name, .name_bytes = name_bytes};
    struct descriptor *descriptor =
        descriptor_open((uint32_t)fd, directory, descriptor_all_rights(), descriptor_all_rights());
    descriptor->preopen = (uint8_t)state->preopen_count;
    return WASI_OK;
}

/* What a module is given as its "/" holds that and nothing else: it is no part of the tree. */
static uint32_t
make_job_root(void)
{
    uint32_t root = node_new(NODE_DIRECTORY, true);

    if (root != NODE_NONE) {
        node_own(root)->links = 1;
        node_own(root)->as.directory.parent = root;
        wasi_state.job_root = root;
    }
    return root;
}

static enum wasi_errno
finish_directory(uint32_t directory, const struct job_record_view *view)
{
    if (view->type != JOB_RECORD_DIR)
        return WASI_EINVAL;
    if (view->data_bytes == 0 || !wasi_state.replace_args)
        return WASI_OK;
    if (directory == NODE_ROOT)
        directory = make_job_root();
    return directory == NODE_NONE ? WASI_ENOSPC
                                  : make_preopen(directory, view->data, view->data_bytes);
}

static bool
is_dots(const char *name, size_t name_bytes, size_t dots)
{
    return name_bytes == dots && memcmp(name, "..", dots) == 0;
}

/* The record's path, making each directory on the way. */
static enum wasi_errno
make_path(const struct job_record_view *view)
{
    const char *at = view->name, *end = view->name + view->name_bytes;
    uint32_t parent = wasi_state.job_root;
    enum wasi_errno error = WASI_OK;

    if (view->name_bytes == 0 || view->name_bytes > WASI_PATH_BYTES)
        return WASI_EINVAL;
    while (error == WASI_OK) {
        while (at < end && *at == '/')
            at++;
        if (at == end)
            return finish_directory(parent, view);
        const char *slash = memchr(at, '/', (size_t)(end - at));
        const char *name_end = slash == NULL ? end : slash;
        size_t name_bytes = (size_t)(name_end - at);
        if (is_dots(at, name_bytes, 2) || memchr(at, '\0', name_bytes) != NULL)
            return WASI_EINVAL;
        if (slash == NULL && view->type == JOB_RECORD_FILE)
            return is_dots(at, name_bytes, 1) ? WASI_EINVAL
                                              : make_file(parent, at, name_bytes, view);
        if (!is_dots(at, name_bytes, 1))
            parent = make_directory(parent, at, name_bytes, &error);
        at = name_end;
    }
    return error;
}

/* With the first variable; a module that starts with its job has them as any has its own. */
static enum wasi_errno
make_variables_device(void)
{
    static const char name[] = "job-env";
    uint32_t dev = directory_find(NODE_ROOT, "dev", 3);
    enum wasi_errno error = WASI_OK;

    if (wasi_state.replace_args || directory_find(dev, name, sizeof(name) - 1) != NODE_NONE)
        return WASI_OK;
    uint32_t node = directory_make(dev, name, sizeof(name) - 1, NODE_DEVICE, &error);
    if (error == WASI_OK)
        node_own(node)->as.device = DEVICE_JOB_ENV;
    return error;
}

static enum wasi_errno
take_record(const struct job_record_view *view)
{
    switch (view->type) {
    case JOB_RECORD_FILE:
    case JOB_RECORD_DIR:
        return make_path(view);
    case JOB_RECORD_STDIN:
        contents_borrow(node_own(wasi_state.stdin_node), view->data, view->data_bytes);
        return WASI_OK;
    case JOB_RECORD_ENV:
        return make_variables_device();
    case JOB_RECORD_ARG:
        break;
    }
    return WASI_OK;
}

/* The guest must not be able to ask for a job again. */
static void
remove_job_device(void)
{
    uint32_t dev = directory_find(NODE_ROOT, "dev", 3);
    uint32_t entry = directory_find_entry(dev, "job", 3);

    if (entry == 0)
        return;
    directory_remove(entry);
}

/* A module that starts with its job finds open what it was given by name, in that order. */
static void
close_root(void)
{
    descriptor_close(ROOT_FD);
    wasi_state.preopen_count = 0;
}

static bool
is_preopened(const char *name)
{
    const struct wasi_state *state = &wasi_state;

    for (uint32_t i = 0; i < state->preopen_count; i++)
        if (state->preopens[i].name_bytes == strlen(name) &&
            memcmp(state->preopens[i].name, name, strlen(name)) == 0)
            return true;
    return false;
}

/*
 * Then what every program has: the root, if the image has files, else the directories in it. A
 * module that was given a root of its own has that.
 */
static enum wasi_errno
open_rest(void)
{
    static const char *const names[] = {"/work", "/tmp", "/dev"};
    const struct tree *tree = &wasi_state.tree;
    enum wasi_errno error = WASI_OK;

    if (is_preopened("/"))
        return WASI_OK;
    if (tree->nodes != NULL && tree->nodes[0].data_bytes > 0)
        return make_preopen(NODE_ROOT, "/", 1);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && error == WASI_OK; i++)
        if (!is_preopened(names[i]))
            error = make_preopen(directory_find(NODE_ROOT, names[i] + 1, strlen(names[i]) - 1),
                                 names[i], strlen(names[i]));
    return error;
}

int
wasi_begin_job(const struct job_memory_header *input, int replace_args, struct err *err)
{
    struct job_record_view view;
    uint64_t cursor = 0;
    int more;

    wasi_state.input = input;
    wasi_state.replace_args = replace_args != 0;
    wasi_state.job_awaited = true;
    remove_job_device();
    if (replace_args)
        close_root();
    /* The input is beside the limit of what the guest may make. */
    wasi_state.entry_capacity = wasi_state.entry_table;
    while ((more = job_memory_next_record(input, &cursor, &view)) == 1) {
        enum wasi_errno error = take_record(&view);
        if (error != WASI_OK)
            return err_set(err, ERR_INVALID, 0, "input \"%.*s\" was refused with WASI errno %d",
                           (int)(view.name_bytes < 200 ? view.name_bytes : 200), view.name,
                           (int)error);
    }
    if (more < 0)
        return err_set(err, ERR_PROTOCOL, 0, "the job's records are damaged");
    if (replace_args && open_rest() != WASI_OK)
        return err_set(err, ERR_INVALID, 0, "more than %d directories", WASI_PREOPENS);
    wasi_limit_job(wasi_state.config.work_limit_bytes, wasi_state.config.node_limit);
    return 0;
}
