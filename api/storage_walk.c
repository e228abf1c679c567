/*
 * Looking through the directory, and removing. Between the look into Redis whether anybody refers
 * to a content and its removal somebody may put an equal one in its place. So it is first moved
 * aside, and what was put in place lately is moved back: names and time are the file system's, and
 * neither of the two processes can hide from the other there.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/storage_internal.h"

struct storage_walk {
    DIR *directory; /* NULL: the shelf is not there */
};

static DIR *
open_directory(const struct storage *storage, const char *path)
{
    int fd = openat(storage->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);

    if (fd >= 0 && !directory)
        close(fd);
    return directory;
}

struct storage_walk *
storage_walk_begin(struct storage *storage, unsigned shelf)
{
    char path[16];
    struct storage_walk *walk = calloc(1, sizeof(*walk));

    snprintf(path, sizeof(path), "blobs/%02x", shelf % STORAGE_SHELVES);
    if (walk)
        walk->directory = open_directory(storage, path);
    return walk;
}

size_t
storage_walk_next(struct storage_walk *walk, char (*names)[DIGEST_HEX_SIZE], size_t most)
{
    size_t count = 0;
    struct dirent *entry;

    while (walk->directory && count < most && (entry = readdir(walk->directory))) {
        if (storage_is_hash(entry->d_name))
            memcpy(names[count++], entry->d_name, DIGEST_HEX_SIZE);
    }
    return count;
}

void
storage_walk_end(struct storage_walk *walk)
{
    if (walk && walk->directory)
        closedir(walk->directory);
    free(walk);
}

/* Not changed for so long, by the time of this machine. A file that is gone is not old. */
static bool
is_old(const struct storage *storage, const char *path, time_t seconds)
{
    struct stat stat;

    return fstatat(storage->fd, path, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
           time(NULL) - stat.st_mtime > seconds;
}

bool
storage_remove_orphan(struct storage *storage, const char *sha256)
{
    char path[STORAGE_BLOB_PATH_SIZE], aside[STORAGE_TMP_NAME_SIZE];
    struct err err = ERR_INIT;

    if (!storage_is_hash(sha256) || storage_tmp_name(aside, &err) < 0)
        return false;
    storage_blob_path(sha256, path);
    if (!is_old(storage, path, STORAGE_ORPHAN_SEC) ||
        renameat2(storage->fd, path, storage->fd, aside, RENAME_NOREPLACE) < 0)
        return false;
    bool old = is_old(storage, aside, STORAGE_ORPHAN_SEC);
    /* A third one may be in its place by now; then this one is not needed. */
    if (!old && renameat2(storage->fd, aside, storage->fd, path, RENAME_NOREPLACE) == 0)
        return false;
    (void)unlinkat(storage->fd, aside, 0);
    return old;
}

size_t
storage_remove_temporary(struct storage *storage, size_t most)
{
    DIR *directory = open_directory(storage, "tmp");
    struct dirent *entry;
    size_t count = 0;

    while (directory && count < most && (entry = readdir(directory))) {
        char path[sizeof("tmp/") + NAME_MAX];
        snprintf(path, sizeof(path), "tmp/%s", entry->d_name);
        if (entry->d_name[0] != '.' && is_old(storage, path, STORAGE_TMP_SEC) &&
            unlinkat(storage->fd, path, 0) == 0)
            count++;
    }
    if (directory)
        closedir(directory);
    return count;
}
