/*
 * SQLite's operating system layer for the guest, in place of the unix one.
 *
 * A guest is one process on a file system of its own: locks are between the connections of this
 * process only, and as nothing outlives the job, syncing does nothing. Files are read and written
 * by position; there are no shared memory and no memory maps (the library is built without WAL).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sqlite3.h"

#define MAX_PATH_BYTES       512
#define NAMELESS_ATTEMPTS    8
/* The Julian day number of 1970-01-01 00:00 UTC, in milliseconds. */
#define UNIX_EPOCH_JULIAN_MS 210866760000000LL

struct guest_file {
    sqlite3_file base; /* SQLite's part; first */
    int fd;
    char *delete_path;   /* removed when the file is closed; NULL: kept */
    struct locks *locks; /* of the file; shared by all that have it open */
    int level;           /* SQLITE_LOCK_..., held by this one */
};

struct locks {
    struct locks *next;
    dev_t device;
    ino_t inode;
    int users;                 /* how many have the file open */
    int readers;               /* how many hold SHARED or more */
    struct guest_file *writer; /* holds RESERVED or more; NULL: nobody */
};

static struct locks *all_locks;

/* Sets file->locks; 0, or -1: out of memory. */
static int
locks_open(struct guest_file *file)
{
    struct stat status;
    struct locks *locks = all_locks;

    if (fstat(file->fd, &status) < 0)
        return -1;
    while (locks && (locks->device != status.st_dev || locks->inode != status.st_ino))
        locks = locks->next;
    if (!locks) {
        locks = sqlite3_malloc(sizeof(*locks));
        if (!locks)
            return -1;
        *locks = (struct locks){.next = all_locks, .device = status.st_dev, .inode = status.st_ino};
        all_locks = locks;
    }
    locks->users++;
    file->locks = locks;
    return 0;
}

static void
locks_close(struct guest_file *file)
{
    struct locks **at = &all_locks;

    if (--file->locks->users > 0)
        return;
    while (*at != file->locks)
        at = &(*at)->next;
    *at = file->locks->next;
    sqlite3_free(file->locks);
}

static int
file_unlock(sqlite3_file *base, int level)
{
    struct guest_file *file = (struct guest_file *)base;

    if (file->level <= level)
        return SQLITE_OK;
    if (file->locks->writer == file)
        file->locks->writer = NULL;
    if (level == SQLITE_LOCK_NONE)
        file->locks->readers--;
    file->level = level;
    return SQLITE_OK;
}

static int
file_lock(sqlite3_file *base, int level)
{
    struct guest_file *file = (struct guest_file *)base;
    struct locks *locks = file->locks;
    bool taken = locks->writer && locks->writer != file;

    if (file->level >= level)
        return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED) {
        if (taken && locks->writer->level >= SQLITE_LOCK_PENDING)
            return SQLITE_BUSY;
        locks->readers++;
    } else {
        if (taken)
            return SQLITE_BUSY;
        locks->writer = file;
        if (level == SQLITE_LOCK_EXCLUSIVE && locks->readers > 1) {
            /* No new readers; SQLite asks again when those that there are have left. */
            file->level = SQLITE_LOCK_PENDING;
            return SQLITE_BUSY;
        }
    }
    file->level = level;
    return SQLITE_OK;
}

static int
file_check_reserved_lock(sqlite3_file *base, int *reserved)
{
    *reserved = ((struct guest_file *)base)->locks->writer != NULL;
    return SQLITE_OK;
}

static int
file_close(sqlite3_file *base)
{
    struct guest_file *file = (struct guest_file *)base;

    file_unlock(base, SQLITE_LOCK_NONE);
    locks_close(file);
    close(file->fd);
    if (file->delete_path)
        unlink(file->delete_path);
    sqlite3_free(file->delete_path);
    return SQLITE_OK;
}

static int
file_read(sqlite3_file *base, void *buffer, int size, sqlite3_int64 offset)
{
    struct guest_file *file = (struct guest_file *)base;
    char *at = buffer;

    while (size > 0) {
        ssize_t got = pread(file->fd, at, (size_t)size, offset);

        if (got < 0)
            return SQLITE_IOERR_READ;
        if (got == 0) {
            /* SQLite wants what is past the end as zeroes. */
            memset(at, 0, (size_t)size);
            return SQLITE_IOERR_SHORT_READ;
        }
        at += got;
        offset += got;
        size -= (int)got;
    }
    return SQLITE_OK;
}

static int
file_write(sqlite3_file *base, const void *buffer, int size, sqlite3_int64 offset)
{
    struct guest_file *file = (struct guest_file *)base;
    const char *at = buffer;

    while (size > 0) {
        ssize_t put = pwrite(file->fd, at, (size_t)size, offset);

        if (put <= 0)
            return put < 0 && errno == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
        at += put;
        offset += put;
        size -= (int)put;
    }
    return SQLITE_OK;
}

static int
file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    return ftruncate(((struct guest_file *)base)->fd, size) == 0 ? SQLITE_OK
                                                                 : SQLITE_IOERR_TRUNCATE;
}

static int
file_sync(sqlite3_file *base, int flags)
{
    (void)base;
    (void)flags;
    return SQLITE_OK;
}

static int
file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    struct stat status;

    if (fstat(((struct guest_file *)base)->fd, &status) < 0)
        return SQLITE_IOERR_FSTAT;
    *size = status.st_size;
    return SQLITE_OK;
}

static int
file_control(sqlite3_file *base, int operation, void *argument)
{
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int
file_sector_size(sqlite3_file *base)
{
    (void)base;
    return 4096;
}

static int
file_characteristics(sqlite3_file *base)
{
    (void)base;
    return 0;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
};

static int
vfs_randomness(sqlite3_vfs *vfs, int size, char *buffer)
{
    (void)vfs;
    if (getentropy(buffer, (size_t)size < 256 ? (size_t)size : 256) < 0)
        return 0;
    return size < 256 ? size : 256;
}

/* Opens a new file in /tmp for a NULL name; the path goes to *made. -1: none could be made. */
static int
open_nameless(sqlite3_vfs *vfs, int flags, char **made)
{
    for (int i = 0; i < NAMELESS_ATTEMPTS; i++) {
        unsigned long long number;
        int fd;

        vfs_randomness(vfs, sizeof(number), (char *)&number);
        *made = sqlite3_mprintf("/tmp/etilqs_%llx", number);
        if (!*made)
            return -1;
        fd = open(*made, flags | O_CREAT | O_EXCL, 0600);
        if (fd >= 0)
            return fd;
        sqlite3_free(*made);
        *made = NULL;
    }
    return -1;
}

static int
vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *base, int flags, int *out_flags)
{
    struct guest_file *file = (struct guest_file *)base;
    int mode = (flags & SQLITE_OPEN_READWRITE) ? O_RDWR : O_RDONLY;

    *file = (struct guest_file){.fd = -1};
    if (flags & SQLITE_OPEN_CREATE)
        mode |= O_CREAT;
    if (flags & SQLITE_OPEN_EXCLUSIVE)
        mode |= O_EXCL;
    file->fd = name ? open(name, mode, 0600) : open_nameless(vfs, mode, &file->delete_path);
    if (file->fd < 0 && name && (flags & SQLITE_OPEN_READWRITE) && errno == EACCES) {
        /* A file that may only be read is opened so, as the unix layer does. */
        flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
        file->fd = open(name, O_RDONLY);
    }
    if (file->fd < 0)
        return SQLITE_CANTOPEN;
    if (locks_open(file) < 0) {
        close(file->fd);
        return SQLITE_NOMEM;
    }
    if (name && (flags & SQLITE_OPEN_DELETEONCLOSE))
        file->delete_path = sqlite3_mprintf("%s", name);
    if (out_flags)
        *out_flags = flags;
    file->base.pMethods = &file_methods;
    return SQLITE_OK;
}

static int
vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
    (void)vfs;
    (void)sync_directory;
    if (unlink(name) == 0)
        return SQLITE_OK;
    return errno == ENOENT ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
}

static int
vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
    struct stat status;

    (void)vfs;
    /* An empty file does not count as existing, as in the unix layer (hot journals). */
    if (flags == SQLITE_ACCESS_EXISTS)
        *result = stat(name, &status) == 0 && (!S_ISREG(status.st_mode) || status.st_size > 0);
    else
        *result = access(name, R_OK | W_OK) == 0;
    return SQLITE_OK;
}

static int
vfs_full_pathname(sqlite3_vfs *vfs, const char *name, int size, char *path)
{
    char directory[MAX_PATH_BYTES] = "";

    (void)vfs;
    if (name[0] != '/' && !getcwd(directory, sizeof(directory)))
        return SQLITE_CANTOPEN;
    sqlite3_snprintf(size, path, "%s%s%s", directory,
                     directory[0] && strcmp(directory, "/") != 0 ? "/" : "", name);
    return SQLITE_OK;
}

static int
vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    struct timespec pause = {.tv_sec = microseconds / 1000000,
                             .tv_nsec = microseconds % 1000000 * 1000L};

    (void)vfs;
    nanosleep(&pause, NULL);
    return microseconds;
}

static int
vfs_current_time_int64(sqlite3_vfs *vfs, sqlite3_int64 *julian_ms)
{
    struct timespec now;

    (void)vfs;
    clock_gettime(CLOCK_REALTIME, &now);
    *julian_ms = UNIX_EPOCH_JULIAN_MS + (sqlite3_int64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    return SQLITE_OK;
}

static int
vfs_current_time(sqlite3_vfs *vfs, double *julian_days)
{
    sqlite3_int64 julian_ms;

    vfs_current_time_int64(vfs, &julian_ms);
    *julian_days = (double)julian_ms / 86400000.0;
    return SQLITE_OK;
}

static int
vfs_last_error(sqlite3_vfs *vfs, int size, char *text)
{
    (void)vfs;
    (void)size;
    (void)text;
    return errno;
}

int
sqlite3_os_init(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .szOsFile = sizeof(struct guest_file),
        .mxPathname = MAX_PATH_BYTES,
        .zName = "guest",
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_pathname,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_current_time,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_current_time_int64,
    };

    return sqlite3_vfs_register(&vfs, 1);
}

int
sqlite3_os_end(void)
{
    return SQLITE_OK;
}
