/* Calls on descriptors; one process, and no terminal. */
#include "guest_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/file.h>

int __real_ioctl(int fd, int request, ...);
int __wrap_ioctl(int fd, int request, ...);
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);

static int
fail(int error)
{
    errno = error;
    return -1;
}

static int
is_open(int fd)
{
    /* F_GETFD is answered without a look. */
    return __real_fcntl(fd, F_GETFL) >= 0;
}

/*
 * WASI has no second name for an open file. A directory can be opened again, which is what
 * listing it by a descriptor needs; that has a position of its own.
 */
int
dup(int fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return -1;
    if (!S_ISDIR(status.st_mode))
        return fail(ENOTSUP);
    return openat(fd, ".", O_RDONLY | O_DIRECTORY);
}

/* Nobody else is there to hold a lock. */
int
flock(int fd, int operation)
{
    int what = operation & ~LOCK_NB;

    if (!is_open(fd))
        return -1;
    return what == LOCK_SH || what == LOCK_EX || what == LOCK_UN ? 0 : fail(EINVAL);
}

int
lockf(int fd, int operation, off_t size)
{
    (void)size;
    if (!is_open(fd))
        return -1;
    return operation >= F_ULOCK && operation <= F_TEST ? 0 : fail(EINVAL);
}

/* A number where a pointer should be is an error on Linux, and would be a trap here. */
static bool
may_hold(uintptr_t address, size_t size)
{
    const size_t page = 65536;

    return address >= page && address / page < __builtin_wasm_memory_size(0) &&
           (address + size - 1) / page < __builtin_wasm_memory_size(0);
}

int
__wrap_fcntl(int fd, int command, ...)
{
    va_list arguments;

    /* Reading an argument that the caller has not passed would be a load from address 0. */
    if (command == F_GETFD || command == F_GETFL)
        return is_open(fd) ? __real_fcntl(fd, command) : -1;
    va_start(arguments, command);
    uintptr_t argument = va_arg(arguments, uintptr_t);
    va_end(arguments);
    if (command != F_GETLK && command != F_SETLK && command != F_SETLKW)
        return __real_fcntl(fd, command, argument);
    if (!is_open(fd))
        return -1;
    if (command != F_GETLK)
        return 0;
    if (!may_hold(argument, sizeof(struct flock)))
        return fail(EFAULT);
    ((struct flock *)argument)->l_type = F_UNLCK;
    return 0;
}

int
__wrap_ioctl(int fd, int request, ...)
{
    va_list arguments;

    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (request != TIOCGWINSZ)
        return __real_ioctl(fd, request, argument);
    return is_open(fd) ? fail(ENOTTY) : -1;
}
