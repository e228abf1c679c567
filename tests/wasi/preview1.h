/*
 * For guests that make WASI calls themselves: every function of the host's table as host_<name>(),
 * with numbers for pointers, over the types of wasi-libc's own header. A program is a list of
 * tests, each a sentence; it prints whether each is true, and what was not.
 */
#ifndef RETORT_TEST_PREVIEW1_H
#define RETORT_TEST_PREVIEW1_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wasi/api.h>

#define WASI_FUNCTION(type, name, ...)                                                             \
    __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))                   \
    type host_##name(__VA_ARGS__);
#include "worker/wasi/functions.def"
#undef WASI_FUNCTION

#define AT(thing)  ((uint32_t)(uintptr_t)(thing))
#define TEXT(text) AT(text), (uint32_t)strlen(text)
/* One past the last address. */
#define MEMORY_END ((uint32_t)__builtin_wasm_memory_size(0) * 65536u)

#define READ      (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL)
#define WRITE     (__WASI_RIGHTS_FD_WRITE)
#define ALL       ((uint64_t)0x1fffffff)
#define FOLLOW    __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW
#define CREAT     __WASI_OFLAGS_CREAT
#define EXCL      __WASI_OFLAGS_EXCL
#define TRUNC     __WASI_OFLAGS_TRUNC
#define DIRECTORY __WASI_OFLAGS_DIRECTORY

static const char *failure; /* of the test that runs: what, and where */
static int failure_line;
static long long failure_wanted, failure_got;

static inline void
check(const char *what, int line, long long wanted, long long got)
{
    if (failure != NULL || wanted == got)
        return;
    failure = what;
    failure_line = line;
    failure_wanted = wanted;
    failure_got = got;
}

/* That the call's errno is this one; that these are equal; that it is true. */
#define EXPECT(name, call) check(#call, __LINE__, __WASI_ERRNO_##name, (call))
#define EQUAL(wanted, got) check(#got, __LINE__, (long long)(wanted), (long long)(got))
#define TRUE(condition)    check(#condition, __LINE__, 1, (condition) ? 1 : 0)

/* Where the test that runs may do as it likes: an empty directory. */
static uint32_t dir;
/* For results. */
static uint32_t ret, ret2;
static uint64_t ret64;

static inline int
open_from(uint32_t fd, uint32_t lookup, const char *path, uint32_t flags, uint64_t rights)
{
    uint32_t opened = 0;
    uint32_t error = host_path_open(fd, lookup, TEXT(path), flags, rights, ALL, 0, AT(&opened));

    return error != 0 ? -(int)error : (int)opened;
}

static inline int
open_in(const char *path, uint32_t flags, uint64_t rights)
{
    return open_from(dir, FOLLOW, path, flags, rights);
}

static inline int
write_text(uint32_t fd, const char *text)
{
    uint32_t iovec[2] = {TEXT(text)}, done = 0;
    uint32_t error = host_fd_write(fd, AT(iovec), 1, AT(&done));

    return error != 0 ? -(int)error : (int)done;
}

static inline int
read_bytes(uint32_t fd, void *buffer, uint32_t size)
{
    uint32_t iovec[2] = {AT(buffer), size}, done = 0;
    uint32_t error = host_fd_read(fd, AT(iovec), 1, AT(&done));

    return error != 0 ? -(int)error : (int)done;
}

static inline uint32_t
make_file(const char *path, const char *text)
{
    int fd = open_in(path, CREAT | TRUNC, READ | WRITE);

    if (fd < 0)
        return (uint32_t)-fd;
    if (text[0] != '\0' && write_text((uint32_t)fd, text) != (int)strlen(text))
        return __WASI_ERRNO_IO;
    return host_fd_close((uint32_t)fd);
}

/* Does the file hold exactly that text? */
static inline bool
holds(const char *path, const char *text)
{
    char buffer[256];
    int fd = open_in(path, 0, READ);

    if (fd < 0)
        return false;
    int size = read_bytes((uint32_t)fd, buffer, sizeof(buffer));
    host_fd_close((uint32_t)fd);
    return size == (int)strlen(text) && memcmp(buffer, text, strlen(text)) == 0;
}

static inline uint32_t
make_dir(const char *path)
{
    return host_path_create_directory(dir, TEXT(path));
}

static inline uint32_t
remove_dir(const char *path)
{
    return host_path_remove_directory(dir, TEXT(path));
}

static inline uint32_t
unlink_file(const char *path)
{
    return host_path_unlink_file(dir, TEXT(path));
}

static inline uint32_t
rename_to(const char *from, const char *to)
{
    return host_path_rename(dir, TEXT(from), dir, TEXT(to));
}

static inline uint32_t
link_to(const char *from, const char *to, uint32_t lookup)
{
    return host_path_link(dir, lookup, TEXT(from), dir, TEXT(to));
}

static inline uint32_t
symlink_to(const char *target, const char *path)
{
    return host_path_symlink(TEXT(target), dir, TEXT(path));
}

static __wasi_filestat_t stat;

static inline uint32_t
stat_at(const char *path, uint32_t lookup)
{
    return host_path_filestat_get(dir, lookup, TEXT(path), AT(&stat));
}

static inline uint32_t
stat_of(uint32_t fd)
{
    return host_fd_filestat_get(fd, AT(&stat));
}

/* A directory of the preopen that comes first; below its /work, if it is the root of an image. */
static inline void
enter_directory(const char *name)
{
    char path[300];

    snprintf(path, sizeof(path), "work/%s", name);
    if (host_path_create_directory(3, TEXT(path)) != 0) {
        snprintf(path, sizeof(path), "%s", name);
        host_path_create_directory(3, TEXT(path));
    }
    int fd = open_from(3, 0, path, DIRECTORY, ALL & ~(uint64_t)WRITE);
    dir = fd < 0 ? 3 : (uint32_t)fd;
}

struct test {
    const char *name;
    void (*run)(void);
};

#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }

/* The exit status: how many are not true. */
static inline int
run_tests(const struct test *tests, size_t count)
{
    int failures = 0;

    for (size_t i = 0; i < count; i++) {
        failure = NULL;
        enter_directory(tests[i].name);
        tests[i].run();
        /* Whatever a test left open is not the next one's. */
        for (uint32_t fd = 4; fd < 300; fd++)
            host_fd_close(fd);
        if (failure == NULL) {
            printf("ok %s\n", tests[i].name);
            continue;
        }
        printf("not ok %s: line %d: %s: wanted %lld, got %lld\n", tests[i].name, failure_line,
               failure, failure_wanted, failure_got);
        failures++;
    }
    return failures;
}

#define RUN(tests) run_tests(tests, sizeof(tests) / sizeof((tests)[0]))

#endif
