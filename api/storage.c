/* The directory itself, and reading contents; writing is in storage_put.c. */
#include "api/storage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/storage_internal.h"
#include "common/job.h"

int
storage_fail(struct err *err, int sys_errno, const char *what)
{
    if (sys_errno == ENOSPC || sys_errno == EDQUOT)
        return err_set(err, ERR_UNAVAILABLE, 0, "The storage is full; nothing was kept.");
    return err_set(err, ERR_SYSTEM, sys_errno, "%s in STORAGE_DIR", what);
}

int
storage_tmp_name(char name[STORAGE_TMP_NAME_SIZE], struct err *err)
{
    char id[JOB_ID_SIZE];

    if (job_new_id(id, err) < 0)
        return -1;
    snprintf(name, STORAGE_TMP_NAME_SIZE, "tmp/%s", id);
    return 0;
}

void
storage_blob_path(const char *sha256, char path[STORAGE_BLOB_PATH_SIZE])
{
    snprintf(path, STORAGE_BLOB_PATH_SIZE, "blobs/%.2s/%s", sha256, sha256);
}

bool
storage_is_hash(const char *name)
{
    return strlen(name) == DIGEST_HEX_SIZE - 1 &&
           strspn(name, "0123456789abcdef") == DIGEST_HEX_SIZE - 1;
}

/* ---- its own files ------------------------------------------------------------------------ */

/* `digits` hexadecimal digits, and a line end. */
static int
read_secret(const struct storage *storage, const char *name, char *text, size_t digits)
{
    char line[STORAGE_KEY_SIZE + 1];
    int fd = openat(storage->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -1;
    ssize_t got = read(fd, line, digits + 1);
    close(fd);
    if (got != (ssize_t)digits + 1 || strspn(line, "0123456789abcdef") != digits ||
        line[digits] != '\n')
        return errno = EINVAL, -1;
    memcpy(text, line, digits);
    text[digits] = '\0';
    return 0;
}

static int
write_secret(const struct storage *storage, const char *tmp, size_t digits)
{
    char text[STORAGE_KEY_SIZE + 2] = "";
    struct err ignored = ERR_INIT;
    int fd = openat(storage->fd, tmp, STORAGE_CREATE_FLAGS, STORAGE_FILE_MODE);
    bool done;

    if (fd < 0)
        return -1;
    for (size_t i = 0; i < digits; i += JOB_ID_SIZE - 1)
        if (job_new_id(text + i, &ignored) < 0)
            return close(fd), -1;
    text[digits] = '\n';
    done = write(fd, text, digits + 1) == (ssize_t)digits + 1 && fsync(fd) == 0;
    int code = errno;
    close(fd);
    errno = code;
    return done ? 0 : -1;
}

/* Reads it, or makes it: of several processes that do so at once one wins, and all have its. */
static int
load_secret(const struct storage *storage, const char *name, char *text, size_t digits,
            struct err *err)
{
    char tmp[STORAGE_TMP_NAME_SIZE];

    if (read_secret(storage, name, text, digits) == 0)
        return 0;
    if (errno != ENOENT)
        return err_set(err, ERR_CONFIG, errno, "STORAGE_DIR/%s cannot be read", name);
    if (storage_tmp_name(tmp, err) < 0)
        return -1;
    if (write_secret(storage, tmp, digits) < 0 ||
        (renameat2(storage->fd, tmp, storage->fd, name, RENAME_NOREPLACE) < 0 && errno != EEXIST)) {
        err_set(err, ERR_CONFIG, errno, "STORAGE_DIR/%s cannot be made", name);
        (void)unlinkat(storage->fd, tmp, 0);
        return -1;
    }
    (void)unlinkat(storage->fd, tmp, 0);
    if (fsync(storage->fd) < 0 || read_secret(storage, name, text, digits) < 0)
        return err_set(err, ERR_CONFIG, errno, "STORAGE_DIR/%s cannot be read", name);
    return 0;
}

static int
make_directory(const struct storage *storage, const char *name, struct err *err)
{
    if (mkdirat(storage->fd, name, STORAGE_DIR_MODE) < 0 && errno != EEXIST)
        return err_set(err, ERR_CONFIG, errno, "STORAGE_DIR/%s cannot be made", name);
    return 0;
}

struct storage *
storage_open(const char *path, struct err *err)
{
    struct storage *storage = calloc(1, sizeof(*storage));

    if (!storage) {
        err_set(err, ERR_SYSTEM, 0, "out of memory for the storage");
        return NULL;
    }
    storage->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (storage->fd < 0) {
        err_set(err, ERR_CONFIG, errno, "STORAGE_DIR \"%s\" cannot be opened", path);
    } else if (make_directory(storage, "tmp", err) == 0 &&
               make_directory(storage, "blobs", err) == 0 &&
               load_secret(storage, "id", storage->id, STORAGE_ID_SIZE - 1, err) == 0 &&
               load_secret(storage, "signing_key", storage->key, STORAGE_KEY_SIZE - 1, err) == 0) {
        return storage;
    }
    storage_close(storage);
    return NULL;
}

void
storage_close(struct storage *storage)
{
    if (!storage)
        return;
    if (storage->fd >= 0)
        close(storage->fd);
    free(storage);
}

const char *
storage_id(const struct storage *storage)
{
    return storage->id;
}

const char *
storage_signing_key(const struct storage *storage)
{
    return storage->key;
}

/* ---- reading ------------------------------------------------------------------------------ */

int
storage_blob_open(struct storage *storage, const struct storage_blob *blob, struct err *err)
{
    char path[STORAGE_BLOB_PATH_SIZE];
    struct stat stat;

    if (!storage_is_hash(blob->sha256))
        return err_set(err, ERR_SYSTEM, 0, "a record names no content");
    storage_blob_path(blob->sha256, path);
    int fd = openat(storage->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_SYSTEM, errno, "A content cannot be opened in STORAGE_DIR");
    if (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode) || (uint64_t)stat.st_size != blob->bytes) {
        close(fd);
        return err_set(err, ERR_SYSTEM, 0, "A content in STORAGE_DIR is damaged.");
    }
    return fd;
}

int
storage_blob_read(struct storage *storage, const struct storage_blob *blob, struct bytes *out,
                  struct err *err)
{
    int fd = storage_blob_open(storage, blob, err);
    size_t done = 0;
    ssize_t got = 1;

    *out = (struct bytes){0};
    if (fd < 0)
        return -1;
    char *data = malloc(blob->bytes + 1);
    while (data && done < blob->bytes && got > 0) {
        got = pread(fd, data + done, blob->bytes - done, (off_t)done);
        done += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    if (!data || done < blob->bytes) {
        free(data);
        return err_set(err, ERR_SYSTEM, 0, "A content in STORAGE_DIR cannot be read.");
    }
    data[done] = '\0';
    *out = (struct bytes){.data = data, .size = done};
    if (done == 0)
        bytes_fini(out);
    return 0;
}
