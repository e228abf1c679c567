/*
 * "Now" as the times of a file. wasi-libc, as Debian compiled it, reads the times that it is given
 * before it asks whether there are any, which is a trap where the first page of linear memory is
 * not mapped.
 */
#include <sys/stat.h>
#include <time.h>

int __real_futimens(int fd, const struct timespec times[2]);
int __real_utimensat(int dirfd, const char *path, const struct timespec times[2], int flags);
int __wrap_futimens(int fd, const struct timespec times[2]);
int __wrap_utimensat(int dirfd, const char *path, const struct timespec times[2], int flags);

static const struct timespec *
in_full(const struct timespec times[2], struct timespec now[2])
{
    if (times != NULL)
        return times;
    (void)clock_gettime(CLOCK_REALTIME, &now[0]);
    now[1] = now[0];
    return now;
}

int
__wrap_futimens(int fd, const struct timespec times[2])
{
    struct timespec now[2];

    return __real_futimens(fd, in_full(times, now));
}

int
__wrap_utimensat(int dirfd, const char *path, const struct timespec times[2], int flags)
{
    struct timespec now[2];

    return __real_utimensat(dirfd, path, in_full(times, now), flags);
}
