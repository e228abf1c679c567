#include "worker/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "worker/kernel_file.h"

#define WORKER_NAME   "retort-worker"
#define ZYGOTE_PREFIX "retort-zygote-"
#define TEXT_SIZE     512        /* of a file here that is a list of words or numbers */
#define PROC_TEXT_MAX (1u << 20) /* /proc/self/mountinfo, on a host of many containers */
#define NAME_TRIES    16
/* Another user could otherwise hold the lock of one. */
#define GROUP_MODE    0700
/* A process that was killed takes a moment to go. */
#define LAST_SWEEPS   50
#define LAST_PAUSE_NS 2000000

static const struct {
    const char *name, *limit_file;
    enum layer layer;
} controllers[CGROUP_CONTROLLER_COUNT] = {
    [CGROUP_MEMORY] = {"memory", "memory.max", LAYER_MEMORY_CGROUP},
    [CGROUP_PIDS] = {"pids", "pids.max", LAYER_PIDS_CGROUP},
};

/* ---- files ---- */

/* Its beginning, NUL-terminated; "" when it cannot be read. */
static void
read_file(int directory_fd, const char *name, char text[TEXT_SIZE])
{
    int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, TEXT_SIZE - 1);

    text[got > 0 ? got : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

/* A whole file of /proc, which tells no size; the caller frees it. NULL: err is set. */
static char *
read_proc(const char *path, struct err *err)
{
    char *text = malloc(PROC_TEXT_MAX);
    FILE *file = text ? fopen(path, "re") : NULL;

    if (!file) {
        err_set(err, ERR_SYSTEM, errno, "%s", path);
        free(text);
        return NULL;
    }
    text[fread(text, 1, PROC_TEXT_MAX - 1, file)] = '\0';
    (void)fclose(file);
    return text;
}

int
cgroup_path_of(pid_t pid, char path[CGROUP_PATH_SIZE], struct err *err)
{
    char membership_path[32] = "/proc/self/cgroup";
    int result = -1;

    if (pid != 0)
        (void)snprintf(membership_path, sizeof(membership_path), "/proc/%d/cgroup", (int)pid);
    char *membership = read_proc(membership_path, err);
    char *mounts = membership ? read_proc("/proc/self/mountinfo", err) : NULL;
    if (mounts)
        result = cgroup_find(membership, mounts, path, err);
    free(membership);
    free(mounts);
    return result;
}

static bool
has_word(const char *list, const char *word)
{
    size_t size = strlen(word);

    for (const char *at = list; (at = strstr(at, word)); at += size) {
        if ((at == list || at[-1] == ' ') && strchr(" \n", at[size])) /* or the end */
            return true;
    }
    return false;
}

/* ---- the directory ---- */

__attribute__((format(printf, 3, 4))) static void
miss(struct layer_report *report, int code, const char *format, ...)
{
    va_list arguments;

    *report = (struct layer_report){.told = true, .sys_errno = code};
    va_start(arguments, format);
    (void)vsnprintf(report->text, sizeof(report->text), format, arguments);
    va_end(arguments);
}

__attribute__((format(printf, 3, 4))) static void
miss_all(struct cgroup_tree *tree, int code, const char *format, ...)
{
    char text[sizeof(tree->missing[0].text)];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    for (int i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        if (!tree->missing[i].told)
            miss(&tree->missing[i], code, "%s", text);
    }
}

static bool
has_any(const struct cgroup_tree *tree)
{
    for (int i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        if (!tree->missing[i].told)
            return true;
    }
    return false;
}

/* Beside a worker that has moved (`docker exec`, a restart without exit) it is the one above. */
static bool
strip_worker(char *path)
{
    char *name = strrchr(path, '/');

    if (!name || strcmp(name, "/" WORKER_NAME) != 0)
        return false;
    *name = '\0';
    return true;
}

static int
open_directory(const char *path)
{
    struct statfs status;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && (fstatfs(fd, &status) < 0 || status.f_type != CGROUP2_SUPER_MAGIC)) {
        close(fd);
        errno = ENOENT;
        return -1;
    }
    return fd;
}

static void
note_not_offered(struct cgroup_tree *tree, const char *path)
{
    char offered[TEXT_SIZE];

    read_file(tree->fd, "cgroup.controllers", offered);
    offered[strcspn(offered, "\n")] = '\0';
    for (int i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        if (!has_word(offered, controllers[i].name))
            miss(&tree->missing[i], 0, "%.70s does not offer \"%s\" (only: %.60s)", path,
                 controllers[i].name, *offered ? offered : "nothing");
    }
}

/* The only group that may have both processes and children with limits. */
static bool
is_root_group(int fd)
{
    return faccessat(fd, "cgroup.type", F_OK, 0) < 0;
}

static void
move_back(struct cgroup_tree *tree)
{
    if (tree->moved && kernel_file_write(tree->fd, "cgroup.procs", "0") == 0)
        (void)unlinkat(tree->fd, WORKER_NAME, AT_REMOVEDIR);
    tree->moved = false;
}

static void
move_down(struct cgroup_tree *tree, const char *path)
{
    char left[TEXT_SIZE];

    if (mkdirat(tree->fd, WORKER_NAME, GROUP_MODE) < 0 && errno != EEXIST) {
        miss_all(tree, errno, "making a group in %.100s", path);
        return;
    }
    if (kernel_file_write(tree->fd, WORKER_NAME "/cgroup.procs", "0") < 0) {
        miss_all(tree, errno, "moving into a group in %.100s", path);
        (void)unlinkat(tree->fd, WORKER_NAME, AT_REMOVEDIR);
        return;
    }
    tree->moved = true;
    read_file(tree->fd, "cgroup.procs", left);
    if (*left)
        miss_all(tree, 0, "other processes are in %.100s", path);
}

static void
enable(struct cgroup_tree *tree, const char *path)
{
    char enabled[TEXT_SIZE], order[16];

    read_file(tree->fd, "cgroup.subtree_control", enabled);
    for (int i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        if (tree->missing[i].told || has_word(enabled, controllers[i].name))
            continue;
        (void)snprintf(order, sizeof(order), "+%s", controllers[i].name);
        if (kernel_file_write(tree->fd, "cgroup.subtree_control", order) < 0)
            miss(&tree->missing[i], errno, "enabling \"%s\" in %.80s", controllers[i].name, path);
    }
}

void
cgroup_tree_open(struct cgroup_tree *tree)
{
    char path[CGROUP_PATH_SIZE];
    struct err err = ERR_INIT;

    *tree = (struct cgroup_tree){.fd = -1};
    if (cgroup_path_of(0, path, &err) < 0) {
        miss_all(tree, 0, "%s", err.text);
        return;
    }
    bool beside = strip_worker(path);
    tree->fd = open_directory(path);
    if (tree->fd < 0) {
        miss_all(tree, errno, "%.100s", path);
        return;
    }
    note_not_offered(tree, path);
    if (has_any(tree) && !beside && !is_root_group(tree->fd))
        move_down(tree, path);
    if (has_any(tree))
        enable(tree, path);
    if (!has_any(tree)) {
        move_back(tree);
        close(tree->fd);
        tree->fd = -1;
    }
}

/* ---- groups ---- */

/* Opens and locks; -1: it is in use, or gone. */
static int
open_locked(int tree_fd, const char *name)
{
    int fd = openat(tree_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Removes what nobody holds. How many it could not, since the last processes are still going. */
static int
sweep(const struct cgroup_tree *tree)
{
    int listing_fd = openat(tree->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = listing_fd < 0 ? NULL : fdopendir(listing_fd);
    struct dirent *entry;
    int left = 0;

    while (listing && (entry = readdir(listing))) {
        if (strncmp(entry->d_name, ZYGOTE_PREFIX, strlen(ZYGOTE_PREFIX)) != 0)
            continue;
        int fd = open_locked(tree->fd, entry->d_name);
        if (fd < 0)
            continue;
        left += unlinkat(tree->fd, entry->d_name, AT_REMOVEDIR) < 0;
        close(fd);
    }
    if (listing)
        closedir(listing);
    else if (listing_fd >= 0)
        close(listing_fd);
    return left;
}

/* Another worker may sweep between the two calls: then it is another name. */
static int
make_locked(struct cgroup *group, struct cgroup_tree *tree)
{
    for (int i = 0; i < NAME_TRIES && group->fd < 0; i++) {
        (void)snprintf(group->name, sizeof(group->name), ZYGOTE_PREFIX "%d-%" PRIu32, (int)getpid(),
                       ++tree->made);
        if (mkdirat(tree->fd, group->name, GROUP_MODE) == 0)
            group->fd = open_locked(tree->fd, group->name);
        else if (errno != EEXIST)
            return -1;
    }
    return group->fd < 0 ? -1 : 0;
}

static void
limit(const struct cgroup *group, enum cgroup_controller controller, uint64_t value,
      struct layer_report *report)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    if (kernel_file_write(group->fd, controllers[controller].limit_file, text) < 0)
        miss(report, errno, "setting %s", controllers[controller].limit_file);
    /* Or what is beyond the limit would only be slower, and on the host's disk. */
    else if (controller == CGROUP_MEMORY &&
             kernel_file_write(group->fd, "memory.swap.max", "0") < 0 && errno != ENOENT)
        miss(report, errno, "setting memory.swap.max");
}

void
cgroup_make(struct cgroup *group, struct cgroup_tree *tree, const struct cgroup_limits *limits,
            struct layer_report *reports)
{
    const uint64_t values[CGROUP_CONTROLLER_COUNT] = {
        [CGROUP_MEMORY] = limits->memory_bytes, [CGROUP_PIDS] = limits->pids};

    int code = 0;

    *group = (struct cgroup)CGROUP_INIT;
    if (tree->fd >= 0) {
        (void)sweep(tree);
        code = make_locked(group, tree) < 0 ? errno : 0;
    }
    for (int i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        struct layer_report *report = &reports[controllers[i].layer];
        *report = tree->missing[i];
        if (report->told)
            continue;
        if (group->fd >= 0)
            limit(group, (enum cgroup_controller)i, values[i], report);
        else
            miss(report, code, "making a group for a zygote");
    }
}

int
cgroup_open_door(const struct cgroup *group)
{
    return group->fd < 0 ? -1 : openat(group->fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
}

void
cgroup_end(struct cgroup *group, struct cgroup_tree *tree)
{
    if (group->fd < 0)
        return;
    (void)kernel_file_write(group->fd, "cgroup.kill", "1");
    (void)unlinkat(tree->fd, group->name, AT_REMOVEDIR);
    close(group->fd);
    group->fd = -1;
}

bool
cgroup_explains_kill(struct cgroup *group)
{
    static const char name[] = "\noom_kill ";
    char events[TEXT_SIZE];

    if (group->fd < 0)
        return false;
    read_file(group->fd, "memory.events", events);
    const char *found = strstr(events, name);
    if (!found || strtoull(found + strlen(name), NULL, 10) <= group->kills_told)
        return false;
    group->kills_told++;
    return true;
}

void
cgroup_tree_close(struct cgroup_tree *tree)
{
    const struct timespec pause = {.tv_nsec = LAST_PAUSE_NS};

    if (tree->fd < 0)
        return;
    for (int i = 0; sweep(tree) > 0 && i < LAST_SWEEPS; i++)
        (void)nanosleep(&pause, NULL);
    /* Only what was ours alone is as it was before. */
    if (tree->moved) {
        (void)kernel_file_write(tree->fd, "cgroup.subtree_control", "-memory");
        (void)kernel_file_write(tree->fd, "cgroup.subtree_control", "-pids");
    }
    move_back(tree);
    close(tree->fd);
    tree->fd = -1;
}
