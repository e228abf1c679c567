/* Fibers as a hostile guest asks for them: nonsense is refused, and hurts nobody but the guest. */
#include <stdint.h>
#include <wasi/api.h>

#include "tests/wasi/outcome.h"
#include "worker/engine/fiber_abi.h"

static unsigned turns;

static int
ask(uint32_t operation, uint32_t a, uint32_t b, uint32_t c)
{
    const uint32_t request[] = {operation, a, b, c};
    const __wasi_ciovec_t bytes = {(const uint8_t *)request, sizeof(request)};
    __wasi_size_t written;

    return __wasi_fd_write(FIBER_FD, &bytes, 1, &written);
}

static int
make(uint32_t slot)
{
    return ask(FIBER_NEW, slot, slot, 0);
}

static int
recurse(int depth)
{
    volatile char bytes[1000];

    bytes[0] = bytes[999] = (char)depth;
    return depth == 0 ? 0 : recurse(depth - 1) + bytes[999];
}

__attribute__((export_name("retort_fiber_main"))) void
retort_fiber_main(uint32_t argument)
{
    turns++;
    if (argument == 3)
        printf("deep: %d\n", recurse(1000000));
    /* From inside of a fiber: itself, one that is not there, and none. */
    if (argument == 2) {
        SHOW(ask(FIBER_SWITCH, 2, 0, 0));
        SHOW(ask(FIBER_END, 2, 0, 0));
        SHOW(ask(FIBER_END, 200, 0, 0));
        SHOW(make(2));
        SHOW(recurse(40));
    }
    ask(FIBER_END, 0, 0, 0);
    SHOW("back from its end");
}

static void
show_refusals(void)
{
    const uint32_t end = (uint32_t)__builtin_wasm_memory_size(0) * 65536;

    SHOW(ask(0, 0, 0, 0));
    SHOW(ask(UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX));
    SHOW(ask(FIBER_SWITCH, 0, 0, 0));
    SHOW(ask(FIBER_SWITCH, 1, 0, 0));
    SHOW(ask(FIBER_SWITCH, FIBER_SLOTS, 0, 0));
    SHOW(ask(FIBER_SWITCH, UINT32_MAX, 0, 0));
    SHOW(ask(FIBER_END, 0, 0, 0));
    SHOW(ask(FIBER_END, 1, 0, 0));
    SHOW(make(0));
    SHOW(make(FIBER_SLOTS));
    SHOW(make(UINT32_MAX));
    SHOW(ask(FIBER_PREEMPT, end, 65536, 1000));
    SHOW(ask(FIBER_PREEMPT, 65536, end - 2, 1000));
    SHOW(ask(FIBER_PREEMPT, 65537, 65536, 1000));
    SHOW(ask(FIBER_PREEMPT, UINT32_MAX, UINT32_MAX, 0));
    SHOW((uint32_t)__builtin_wasm_memory_size(0) * 65536 == end);
}

static void
show_other_uses(void)
{
    __wasi_fdstat_t stat;
    __wasi_size_t size;
    uint8_t bytes[24] = {0};
    const __wasi_ciovec_t one = {bytes, 16}, longer = {bytes, 24};
    const __wasi_ciovec_t two[2] = {{bytes, 8}, {bytes + 8, 8}};

    SHOW(__wasi_fd_write(FIBER_FD, &longer, 1, &size) == __WASI_ERRNO_BADF);
    SHOW(__wasi_fd_write(FIBER_FD, two, 2, &size) == __WASI_ERRNO_BADF);
    SHOW(__wasi_fd_pwrite(FIBER_FD, &one, 1, 0, &size) == __WASI_ERRNO_BADF);
    SHOW(__wasi_fd_close(FIBER_FD) == __WASI_ERRNO_BADF);
    SHOW(__wasi_fd_renumber(FIBER_FD, 1) == __WASI_ERRNO_BADF);
    SHOW(__wasi_fd_renumber(1, FIBER_FD) == __WASI_ERRNO_BADF);
    SHOW(__wasi_fd_fdstat_get(FIBER_FD, &stat) == __WASI_ERRNO_BADF);
}

int
main(void)
{
    unsigned errors = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    show_refusals();
    show_other_uses();
    for (uint32_t i = 0; i < 10000; i++)
        errors += make(1) != 0 || ask(FIBER_SWITCH, 1, 0, 0) != 0;
    printf("%u turns, %u errors\n", turns, errors);
    SHOW(make(2));
    SHOW(make(2));
    SHOW(make(3));
    for (uint32_t slot = 4; slot < FIBER_SLOTS; slot++)
        errors += make(slot) != 0;
    printf("%u errors\n", errors);
    SHOW(make(1));
    SHOW(ask(FIBER_SWITCH, 1, 0, 0));
    SHOW(ask(FIBER_SWITCH, 2, 0, 0));
    SHOW(ask(FIBER_SWITCH, 2, 0, 0));
    /* One last time, into its stack's end. */
    SHOW(ask(FIBER_SWITCH, 3, 0, 0));
    return 0;
}
