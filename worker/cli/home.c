#include "worker/cli/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_PREFIX      "retort-cli-"
#define WALK_DESCRIPTORS 16

static const char *
parent_directory(void)
{
    const char *given = getenv("TMPDIR");

    return given && *given ? given : "/tmp";
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    (void)remove(path); /* what cannot be removed does not keep the rest */
    return 0;
}

static void
remove_tree(const char *path)
{
    /* FTW_PHYS: links are removed, never followed. */
    (void)nftw(path, remove_one, WALK_DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* The lock of the directory at path, without waiting for it; -1 when another holds it. */
static int
lock_directory(const char *path, int flags)
{
    char *name;

    if (asprintf(&name, "%s/lock", path) < 0)
        return -1;
    int fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    free(name);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Removes path when it is ours and nobody uses it. */
static void
remove_if_stale(const char *path)
{
    struct stat st;

    if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
        return;
    int fd = lock_directory(path, 0);
    if (fd < 0)
        return;
    remove_tree(path);
    close(fd);
}

static void
sweep(const char *parent)
{
    DIR *directory = opendir(parent);
    struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        char *path;
        if (strncmp(entry->d_name, NAME_PREFIX, strlen(NAME_PREFIX)) != 0)
            continue;
        if (asprintf(&path, "%s/%s", parent, entry->d_name) < 0)
            break;
        remove_if_stale(path);
        free(path);
    }
    if (directory)
        closedir(directory);
}

int
cli_home_make(struct cli_home *home, struct err *err)
{
    const char *parent = parent_directory();

    *home = (struct cli_home){.lock_fd = -1};
    sweep(parent);
    if (asprintf(&home->path, "%s/%sXXXXXX", parent, NAME_PREFIX) < 0) {
        home->path = NULL;
        return err_set(err, ERR_SYSTEM, ENOMEM, "naming a private directory");
    }
    if (!mkdtemp(home->path)) {
        err_set(err, ERR_SYSTEM, errno, "making the private directory %s", home->path);
        free(home->path);
        home->path = NULL;
        return -1;
    }
    home->lock_fd = lock_directory(home->path, O_CREAT | O_EXCL);
    if (home->lock_fd < 0) {
        err_set(err, ERR_SYSTEM, errno, "locking the private directory %s", home->path);
        cli_home_remove(home);
        return -1;
    }
    return 0;
}

void
cli_home_remove(struct cli_home *home)
{
    if (!home->path)
        return;
    remove_tree(home->path);
    if (home->lock_fd >= 0)
        close(home->lock_fd);
    free(home->path);
    *home = (struct cli_home){.lock_fd = -1};
}
