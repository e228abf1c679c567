/*
 * Permissions and owners of files. WASI has neither, so they are kept here, by inode (the host
 * gives no number twice), for files that were given others than the usual ones. They are shown by
 * stat() and access(), and nobody is refused anything, as for root.
 */
#include "guest_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#define PERMISSIONS 07777u
#define KEEP        UINT32_MAX /* as chown() has it: leave this one as it is */

/* Linked with --wrap: what is __real_ here is wasi-libc's. */
int __real_stat(const char *path, struct stat *status);
int __real_lstat(const char *path, struct stat *status);
int __real_fstat(int fd, struct stat *status);
int __real_fstatat(int dirfd, const char *path, struct stat *status, int flags);
int __real_open(const char *path, int flags, ...);
int __real_openat(int dirfd, const char *path, int flags, ...);
int __real_mkdir(const char *path, mode_t mode);
int __real_mkdirat(int dirfd, const char *path, mode_t mode);
int __real_access(const char *path, int mode);
int __real_faccessat(int dirfd, const char *path, int mode, int flags);
DIR *__real_opendir(const char *path);
int __wrap_stat(const char *path, struct stat *status);
int __wrap_lstat(const char *path, struct stat *status);
int __wrap_fstat(int fd, struct stat *status);
int __wrap_fstatat(int dirfd, const char *path, struct stat *status, int flags);
int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int dirfd, const char *path, int flags, ...);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdirat(int dirfd, const char *path, mode_t mode);
int __wrap_access(const char *path, int mode);
int __wrap_faccessat(int dirfd, const char *path, int mode, int flags);
DIR *__wrap_opendir(const char *path);

struct ownership {
    uint64_t inode; /* 0: free */
    uint32_t mode;  /* permissions */
    uint32_t uid, gid;
};

/* Open addressing; capacity a power of two. */
static struct ownership *table;
static size_t capacity, used;
static mode_t mask = 022;

static int
fail(int error)
{
    errno = error;
    return -1;
}

static struct ownership *
slot_of(uint64_t inode)
{
    size_t at = (size_t)(inode * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (capacity - 1);

    while (table[at].inode != 0 && table[at].inode != inode)
        at = (at + 1) & (capacity - 1);
    return &table[at];
}

static int
grow(void)
{
    struct ownership *old = table;
    size_t old_capacity = capacity;
    struct ownership *bigger = calloc(old_capacity ? 2 * old_capacity : 64, sizeof(*bigger));

    if (bigger == NULL)
        return fail(ENOMEM);
    table = bigger;
    capacity = old_capacity ? 2 * old_capacity : 64;
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i].inode != 0)
            *slot_of(old[i].inode) = old[i];
    free(old);
    return 0;
}

static uint32_t
usual_mode(mode_t type)
{
    switch (type & S_IFMT) {
    case S_IFDIR:
        return 0755;
    case S_IFLNK:
        return 0777;
    case S_IFCHR:
        return 0666;
    case S_IFREG:
        return 0644;
    default:
        return 0600;
    }
}

/* Adds what WASI has not told. */
static void
complete(struct stat *status)
{
    if ((status->st_mode & S_IFMT) == 0)
        status->st_mode |= S_IFIFO; /* standard output and error */
    status->st_mode |= usual_mode(status->st_mode);
    status->st_blksize = 4096;
    status->st_blocks = (status->st_size + 511) / 512;
    if (used == 0)
        return;
    const struct ownership *known = slot_of(status->st_ino);
    if (known->inode == 0)
        return;
    status->st_mode = (status->st_mode & S_IFMT) | known->mode;
    status->st_uid = known->uid;
    status->st_gid = known->gid;
}

/* Remembers a change of the file that status is of; KEEP leaves that one. */
static int
change(const struct stat *status, uint32_t mode, uint32_t uid, uint32_t gid)
{
    if (status->st_ino == 0) /* standard output and error */
        return 0;
    if (2 * (used + 1) > capacity && grow() < 0)
        return -1;
    struct ownership *known = slot_of(status->st_ino);
    used += known->inode == 0;
    *known = (struct ownership){
        .inode = status->st_ino,
        .mode = (mode != KEEP ? mode : status->st_mode) & PERMISSIONS,
        .uid = uid != KEEP ? uid : status->st_uid,
        .gid = gid != KEEP ? gid : status->st_gid,
    };
    return 0;
}

static int
change_at(int dirfd, const char *path, int flags, uint32_t mode, uint32_t uid, uint32_t gid)
{
    struct stat status;

    if (flags & ~AT_SYMLINK_NOFOLLOW)
        return fail(EINVAL);
    if (__wrap_fstatat(dirfd, path, &status, flags) < 0)
        return -1;
    /* Setting the times that it has is refused in the read-only image, as this must be. */
    const struct timespec same[2] = {status.st_atim, status.st_mtim};
    if (!S_ISCHR(status.st_mode) && utimensat(dirfd, path, same, flags) < 0)
        return -1;
    return change(&status, mode, uid, gid);
}

static int
change_fd(int fd, uint32_t mode, uint32_t uid, uint32_t gid)
{
    struct stat status;

    if (__wrap_fstat(fd, &status) < 0)
        return -1;
    const struct timespec same[2] = {status.st_atim, status.st_mtim};
    if (!S_ISCHR(status.st_mode) && !S_ISFIFO(status.st_mode) && futimens(fd, same) < 0)
        return -1;
    return change(&status, mode, uid, gid);
}

int
fchmodat(int dirfd, const char *path, mode_t mode, int flags)
{
    /* As Linux: a link has no permissions of its own. */
    if (flags & AT_SYMLINK_NOFOLLOW)
        return fail(ENOTSUP);
    return change_at(dirfd, path, flags, mode, KEEP, KEEP);
}

int
chmod(const char *path, mode_t mode)
{
    return change_at(AT_FDCWD, path, 0, mode, KEEP, KEEP);
}

int
fchmod(int fd, mode_t mode)
{
    return change_fd(fd, mode, KEEP, KEEP);
}

int
fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags)
{
    return change_at(dirfd, path, flags, KEEP, uid, gid);
}

int
chown(const char *path, uid_t uid, gid_t gid)
{
    return change_at(AT_FDCWD, path, 0, KEEP, uid, gid);
}

int
lchown(const char *path, uid_t uid, gid_t gid)
{
    return change_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, KEEP, uid, gid);
}

int
fchown(int fd, uid_t uid, gid_t gid)
{
    return change_fd(fd, KEEP, uid, gid);
}

mode_t
umask(mode_t new_mask)
{
    mode_t old = mask;

    mask = new_mask & 0777;
    return old;
}

/*
 * wasi-libc's functions for AT_FDCWD are calls of those without a directory, which are wrapped too
 * and complete what they find: everything is to pass through here once.
 */
static int
real_fstatat(int dirfd, const char *path, struct stat *status, int flags)
{
    if (dirfd != AT_FDCWD || (flags & ~AT_SYMLINK_NOFOLLOW))
        return __real_fstatat(dirfd, path, status, flags);
    return flags ? __real_lstat(path, status) : __real_stat(path, status);
}

static int
real_openat(int dirfd, const char *path, int flags)
{
    return dirfd == AT_FDCWD ? __real_open(path, flags) : __real_openat(dirfd, path, flags);
}

static int
completed(int result, struct stat *status)
{
    if (result == 0)
        complete(status);
    return result;
}

int
__wrap_stat(const char *path, struct stat *status)
{
    return completed(__real_stat(path, status), status);
}

int
__wrap_lstat(const char *path, struct stat *status)
{
    return completed(__real_lstat(path, status), status);
}

int
__wrap_fstat(int fd, struct stat *status)
{
    return completed(__real_fstat(fd, status), status);
}

int
__wrap_fstatat(int dirfd, const char *path, struct stat *status, int flags)
{
    return completed(real_fstatat(dirfd, path, status, flags), status);
}

/* A file that this call may make, with other permissions than usual. */
static int
open_unusual(int dirfd, const char *path, int flags, mode_t mode)
{
    int existed = __real_faccessat(dirfd, path, F_OK, 0) == 0;
    int fd = real_openat(dirfd, path, flags);

    if (fd < 0 || existed)
        return fd;
    int error = errno;
    fchmod(fd, mode);
    errno = error;
    return fd;
}

static int
open_at(int dirfd, const char *path, int flags, mode_t mode)
{
    mode = mode & PERMISSIONS & ~mask;
    /* As Linux, where O_RDONLY is 0; here it is a bit, and none is an error. */
    if ((flags & O_ACCMODE) == 0)
        flags |= O_RDONLY;
    if ((flags & O_CREAT) && mode != usual_mode(S_IFREG))
        return open_unusual(dirfd, path, flags, mode);
    return real_openat(dirfd, path, flags);
}

int
__wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;

    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return open_at(AT_FDCWD, path, flags, mode);
}

int
__wrap_openat(int dirfd, const char *path, int flags, ...)
{
    mode_t mode = 0;

    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return open_at(dirfd, path, flags, mode);
}

int
__wrap_mkdirat(int dirfd, const char *path, mode_t mode)
{
    mode = mode & 01777 & ~mask;
    int result = dirfd == AT_FDCWD ? __real_mkdir(path, mode) : __real_mkdirat(dirfd, path, mode);
    return result < 0 || mode == usual_mode(S_IFDIR) ? result
                                                     : change_at(dirfd, path, 0, mode, KEEP, KEEP);
}

int
__wrap_mkdir(const char *path, mode_t mode)
{
    return __wrap_mkdirat(AT_FDCWD, path, mode);
}

/* Executable is what has a permission to be; all else is as WASI says. */
int
__wrap_faccessat(int dirfd, const char *path, int mode, int flags)
{
    struct stat status;

    if (__real_faccessat(dirfd, path, mode & ~X_OK, flags & ~AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    if (!(mode & X_OK))
        return 0;
    if (__wrap_fstatat(dirfd, path, &status, flags & AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    return status.st_mode & 0111 ? 0 : fail(EACCES);
}

int
__wrap_access(const char *path, int mode)
{
    return __wrap_faccessat(AT_FDCWD, path, mode, 0);
}

/* wasi-libc takes the empty name for ".". */
DIR *
__wrap_opendir(const char *path)
{
    if (*path == '\0') {
        errno = ENOENT;
        return NULL;
    }
    return __real_opendir(path);
}
