/*
 * Time zones. wasi-libc knows UTC only; steps/deps.sh compiles the __tz.c that lies in its source,
 * which is musl's, with the parts that it leaves out. That one maps time zone files into memory;
 * here they are read.
 */
#include "musl/sys/mman.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LARGEST_FILE (1 << 20)

static char *
read_all(int fd, size_t size)
{
    char *data = malloc(size);

    for (size_t at = 0; data != NULL && at < size;) {
        ssize_t got = read(fd, data + at, size - at);
        if (got <= 0) {
            free(data);
            return NULL;
        }
        at += (size_t)got;
    }
    return data;
}

const unsigned char *
__map_file(const char *path, size_t *size)
{
    struct stat status;
    char *data = NULL;
    int fd = open(path, O_RDONLY);

    if (fd < 0)
        return NULL;
    if (fstat(fd, &status) == 0 && status.st_size > 0 && status.st_size <= LARGEST_FILE) {
        *size = (size_t)status.st_size;
        data = read_all(fd, *size);
    }
    close(fd);
    return (const unsigned char *)data;
}

int
__munmap(void *start, size_t size)
{
    (void)size;
    free(start);
    return 0;
}

/* Threads of the guest do not take each other's turn inside of the C library. */
void __lock(volatile int *lock);
void __unlock(volatile int *lock);

void
__lock(volatile int *lock)
{
    (void)lock;
}

void
__unlock(volatile int *lock)
{
    (void)lock;
}

const char *__tm_to_tzname(const struct tm *tm);

/* musl's gives no names but its own, and so not those that come out of Python's struct_time. */
const char *
__tm_to_tzname(const struct tm *tm)
{
    return tm->__tm_zone != NULL ? tm->__tm_zone : "";
}
