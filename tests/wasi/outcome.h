/*
 * For programs that are compiled twice: for the guest, and natively to see what Linux answers.
 * SHOW(call) prints the call and its value, or the name of its errno.
 */
#ifndef RETORT_TEST_OUTCOME_H
#define RETORT_TEST_OUTCOME_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ERRNO_NAMES(X)                                                                             \
    X(EBADF)                                                                                       \
    X(EBUSY)                                                                                       \
    X(EEXIST)                                                                                      \
    X(EFAULT) X(EFBIG) X(EINVAL) X(EISDIR) X(ELOOP) X(EMFILE) X(ENAMETOOLONG) X(ENOENT) X(ENOSPC)  \
        X(ENOSYS) X(ENOTDIR) X(ENOTEMPTY) X(ENOTSUP) X(EPERM) X(EROFS) X(ESPIPE) X(EXDEV)          \
            X(ENOTTY) X(EOVERFLOW)

static inline const char *
errno_name(int error)
{
#define ERRNO_NAME(name)                                                                           \
    if (error == name)                                                                             \
        return #name;
    ERRNO_NAMES(ERRNO_NAME)
    return "another errno";
}

static inline void
show(const char *call, long long value)
{
    if (value < 0)
        printf("%s: %s\n", call, errno_name(errno));
    else
        printf("%s: %lld\n", call, value);
}

#define SHOW(call) show(#call, (long long)(call))

/* Programs work in the directory that is their argument. */
static const char *directory;

static inline const char *
in(const char *name)
{
    static char paths[8][8192];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

#endif
