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

#define NAMED(error)                                                                               \
    {                                                                                              \
        error, #error                                                                              \
    }

static inline const char *
errno_name(int error)
{
    static const struct {
        int error;
        const char *name;
    } names[] = {
        NAMED(EBADF),   NAMED(EBUSY),  NAMED(EEXIST),    NAMED(EFAULT),  NAMED(EFBIG),
        NAMED(EINVAL),  NAMED(EISDIR), NAMED(ELOOP),     NAMED(EMFILE),  NAMED(ENAMETOOLONG),
        NAMED(ENOENT),  NAMED(ENOSPC), NAMED(ENOSYS),    NAMED(ENOTDIR), NAMED(ENOTEMPTY),
        NAMED(ENOTSUP), NAMED(ENOTTY), NAMED(EOVERFLOW), NAMED(EPERM),   NAMED(EROFS),
        NAMED(ESPIPE),  NAMED(EXDEV),
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].error == error)
            return names[i].name;
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
