/* Writing contents, each into a temporary file that gets its name when it is whole. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/storage_internal.h"

struct storage_put {
    struct storage *storage;
    int fd;
    char name[STORAGE_TMP_NAME_SIZE];
    struct digest digest;
    uint64_t bytes, limit;
};

struct storage_put *
storage_put_begin(struct storage *storage, uint64_t limit, struct err *err)
{
    if (storage->puts == STORAGE_PUTS_MOST) {
        err_set(err, ERR_UNAVAILABLE, 0, "Too many files are being sent; try again in a moment.");
        return NULL;
    }
    struct storage_put *put = calloc(1, sizeof(*put));
    if (!put) {
        err_set(err, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
        return NULL;
    }
    if (storage_tmp_name(put->name, err) < 0) {
        free(put);
        return NULL;
    }
    put->fd = openat(storage->fd, put->name, STORAGE_CREATE_FLAGS, STORAGE_FILE_MODE);
    if (put->fd < 0) {
        storage_fail(err, errno, "A file cannot be made");
        free(put);
        return NULL;
    }
    put->storage = storage;
    put->limit = limit;
    storage->puts++;
    digest_begin(&put->digest);
    return put;
}

int
storage_put_add(struct storage_put *put, const void *data, size_t size, struct err *err)
{
    const char *at = data;

    if (size > put->limit - put->bytes)
        return err_set(err, ERR_TOO_LARGE, 0, "The file is larger than allowed, %llu bytes.",
                       (unsigned long long)put->limit);
    digest_add(&put->digest, data, size);
    put->bytes += size;
    while (size > 0) {
        ssize_t done = write(put->fd, at, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return storage_fail(err, done < 0 ? errno : EIO, "A file cannot be written");
        at += done;
        size -= (size_t)done;
    }
    return 0;
}

/* The shelf of a content. Made once; another process may have done so. */
static int
make_shelf(struct storage *storage, const char *sha256)
{
    char path[] = "blobs/ab";
    const char two[] = {sha256[0], sha256[1], '\0'};
    unsigned long shelf = strtoul(two, NULL, 16);

    if (storage->shelves_made[shelf])
        return 0;
    memcpy(path + sizeof("blobs/") - 1, two, 2);
    if (mkdirat(storage->fd, path, STORAGE_DIR_MODE) < 0 && errno != EEXIST)
        return -1;
    storage->shelves_made[shelf] = 1;
    return 0;
}

/* A name is only on the disk when its directory is. */
static int
sync_shelf(struct storage *storage, const char *sha256)
{
    char path[] = "blobs/ab";

    memcpy(path + sizeof("blobs/") - 1, sha256, 2);
    int fd = openat(storage->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = fsync(fd);
    close(fd);
    return result;
}

/*
 * An equal one is there and stays for long enough: it need not be replaced by one that is not on
 * the disk yet.
 */
static bool
is_there(const struct storage_put *put, const char *path)
{
    struct stat stat;

    return fstatat(put->storage->fd, path, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
           (uint64_t)stat.st_size == put->bytes &&
           time(NULL) - stat.st_mtime < STORAGE_ORPHAN_SEC / 2;
}

static int
put_in_place(struct storage_put *put, bool durable, const char *sha256)
{
    struct storage *storage = put->storage;
    char path[STORAGE_BLOB_PATH_SIZE];

    storage_blob_path(sha256, path);
    if (!durable && is_there(put, path))
        return 0;
    /* What is replaced may be on the disk, and then this must be too. */
    if (!durable && faccessat(storage->fd, path, F_OK, 0) == 0)
        durable = true;
    if ((durable && fdatasync(put->fd) < 0) || make_shelf(storage, sha256) < 0 ||
        renameat(storage->fd, put->name, storage->fd, path) < 0)
        return -1;
    put->name[0] = '\0';
    return durable ? sync_shelf(storage, sha256) : 0;
}

int
storage_put_end(struct storage_put *put, bool durable, struct storage_blob *blob, struct err *err)
{
    blob->bytes = put->bytes;
    digest_end(&put->digest, blob->sha256);
    int result = put_in_place(put, durable, blob->sha256);
    if (result < 0)
        storage_fail(err, errno, "A file cannot be put in place");
    storage_put_drop(put);
    return result;
}

void
storage_put_drop(struct storage_put *put)
{
    if (!put)
        return;
    close(put->fd);
    if (put->name[0])
        (void)unlinkat(put->storage->fd, put->name, 0);
    put->storage->puts--;
    free(put);
}
