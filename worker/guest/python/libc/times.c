/*
 * "Now" as the times of a file. wasi-libc reads the times that it is given before it asks whether
 * there are any; where the first page of linear memory is not mapped, that is a trap.
 */
#include <sys/stat.h>

int __real_futimens(int fd, const struct timespec times[2]);
int __real_utimensat(int dirfd, const char *path, const struct timespec times[2], int flags);
int __wrap_futimens(int fd, const struct timespec times[2]);
int __wrap_utimensat(int dirfd, const char *path, const struct timespec times[2], int flags);

/* The number that the compiled library goes by; <sys/stat.h> has another. */
#define UTIME_NOW_OF_WASI (-1)

static const struct timespec now[2] = {
    {.tv_nsec = UTIME_NOW_OF_WASI},
    {.tv_nsec = UTIME_NOW_OF_WASI},
};

int
__wrap_futimens(int fd, const struct timespec times[2])
{
    return __real_futimens(fd, times ? times : now);
}

int
__wrap_utimensat(int dirfd, const char *path, const struct timespec times[2], int flags)
{
    return __real_utimensat(dirfd, path, times ? times : now, flags);
}
