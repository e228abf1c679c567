/* Calls that a C library would never make: bad pointers, lengths that wrap, rights, cookies. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wasi/api.h>

/* The same imports, with numbers in place of pointers. */
#define IMPORT(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
IMPORT(fd_read) int32_t raw_read(uint32_t fd, uint32_t iovs, uint32_t count, uint32_t ret);
IMPORT(fd_write) int32_t raw_write(uint32_t fd, uint32_t iovs, uint32_t count, uint32_t ret);
IMPORT(fd_readdir)
int32_t raw_readdir(uint32_t fd, uint32_t buf, uint32_t size, uint64_t cookie, uint32_t ret);
IMPORT(path_open)
int32_t raw_open(uint32_t fd, uint32_t lookup, uint32_t path, uint32_t size, uint32_t flags,
                 uint64_t rights, uint64_t inheriting, uint32_t fd_flags, uint32_t ret);
IMPORT(random_get) int32_t raw_random(uint32_t buf, uint32_t size);
IMPORT(poll_oneoff)
int32_t raw_poll(uint32_t in, uint32_t out, uint32_t count, uint32_t ret);
IMPORT(args_get) int32_t raw_args(uint32_t argv, uint32_t buf);
IMPORT(clock_time_get) int32_t raw_time(uint32_t clock, uint64_t precision, uint32_t ret);

#define SHOW(call) printf("%s: %d\n", #call, (int)(call))

static uint32_t ret;
static uint32_t iov[2];
static char space[64];

#define AT(thing) ((uint32_t)(uintptr_t)(thing))

static void
memory(void)
{
    uint32_t end = (uint32_t)__builtin_wasm_memory_size(0) * 65536;

    iov[0] = end - 4;
    iov[1] = 5;
    SHOW(raw_write(1, AT(iov), 1, AT(&ret)));
    SHOW(raw_read(0, AT(iov), 1, AT(&ret)));
    iov[0] = UINT32_MAX;
    iov[1] = UINT32_MAX;
    SHOW(raw_write(1, AT(iov), 1, AT(&ret)));
    SHOW(raw_write(1, end - 4, 1, AT(&ret)));
    SHOW(raw_write(1, AT(iov), 0x20000000, AT(&ret)));
    SHOW(raw_write(1, AT(iov), UINT32_MAX, AT(&ret)));
    iov[0] = AT(space);
    iov[1] = 0;
    SHOW(raw_write(1, AT(iov), 1, end - 2));
    SHOW(raw_write(1, AT(iov), 1, UINT32_MAX));
    SHOW(raw_random(end - 1, 1));
    SHOW(raw_random(end - 1, 2));
    SHOW(raw_random(end, 0));
    SHOW(raw_random(16, UINT32_MAX));
    SHOW(raw_readdir(3, end - 10, 20, 0, AT(&ret)));
    SHOW(raw_readdir(3, AT(space), sizeof(space), UINT64_MAX, AT(&ret)));
    SHOW(ret);
    SHOW(raw_open(3, 0, end - 2, 4, 0, 0, 0, 0, AT(&ret)));
    SHOW(raw_open(3, 0, AT("tmp"), 3, 0, 0, 0, 0, end - 1));
    SHOW(raw_poll(end - 47, AT(space), 1, AT(&ret)));
    SHOW(raw_poll(AT(space), AT(space), 0, AT(&ret)));
    SHOW(raw_poll(AT(space), AT(space), UINT32_MAX, AT(&ret)));
    SHOW(raw_args(UINT32_MAX - 3, AT(space)));
    SHOW(raw_time(0, 0, UINT32_MAX - 6));
    SHOW(raw_time(99, 0, AT(&ret)));
}

static void
paths(void)
{
    SHOW(raw_open(3, 0, AT("/tmp"), 4, 0, 0, 0, 0, AT(&ret)));
    SHOW(raw_open(3, 0, AT("tmp\0x"), 5, 0, 0, 0, 0, AT(&ret)));
    SHOW(raw_open(3, 0, AT("tmp"), 0, 0, 0, 0, 0, AT(&ret)));
    SHOW(raw_open(3, 0, AT("tmp"), 3, 2, UINT64_MAX & ~64ull, UINT64_MAX, 0, AT(&ret)));
    uint32_t tmp = ret;
    SHOW(raw_open(tmp, 0, AT(".."), 2, 0, 0, 0, 0, AT(&ret)));
    SHOW(raw_open(tmp, 0, AT("../work"), 7, 0, 0, 0, 0, AT(&ret)));
    SHOW(raw_open(tmp, 0, AT("a/../../work"), 12, 0, 0, 0, 0, AT(&ret)));
    SHOW(__wasi_fd_fdstat_set_rights((__wasi_fd_t)tmp, __WASI_RIGHTS_PATH_OPEN, 0));
    SHOW(raw_open(tmp, 0, AT("new"), 3, 1, 0, 0, 0, AT(&ret)));
    SHOW(raw_open(tmp, 0, AT("."), 1, 0, __WASI_RIGHTS_FD_READDIR, 0, 0, AT(&ret)));
    SHOW(raw_readdir(tmp, AT(space), sizeof(space), 0, AT(&ret)));
    SHOW(raw_open(1, 0, AT("tmp"), 3, 0, 0, 0, 0, AT(&ret)));
    SHOW(raw_open(77, 0, AT("tmp"), 3, 0, 0, 0, 0, AT(&ret)));
}

static void
descriptors(void)
{
    __wasi_fdstat_t stat;

    SHOW(__wasi_fd_fdstat_get(1, &stat));
    SHOW(stat.fs_filetype);
    SHOW(__wasi_fd_renumber(3, 99));
    SHOW(__wasi_fd_renumber(99, 3));
    SHOW(__wasi_fd_close(256));
    SHOW(__wasi_fd_close(-1));
    SHOW(__wasi_sock_shutdown(1, 1));
    SHOW(__wasi_sock_shutdown(50, 1));
    SHOW(__wasi_fd_sync(1));
    SHOW(__wasi_fd_advise(1, 0, 0, 0));
    SHOW(__wasi_fd_allocate(3, 0, 1));
}

int
main(void)
{
    memory();
    paths();
    descriptors();
    return 0;
}
