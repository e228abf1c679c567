/*
 * The native side of the door (door.h), linked into test images only, with --wrap: what a guest
 * could do that had left the wasm and the WASI host behind. Nothing is checked here.
 */
#include "tests/escape/door.h"

#include <poll.h>
#include <string.h>
#include <sys/syscall.h>

#include "worker/engine/engine.h"
#include "worker/wasi/functions.h"

extern const char door_marker[];
__attribute__((used)) const char door_marker[] = DOOR_MARKER;

uint32_t __real_wasi_sock_recv(uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint32_t flags,
                               uint32_t ret_bytes, uint32_t ret_flags);
uint32_t __wrap_wasi_sock_recv(uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint32_t flags,
                               uint32_t ret_bytes, uint32_t ret_flags);

static uint64_t
call(uint64_t number, const uint64_t *arguments)
{
    register uint64_t fourth __asm__("r10") = arguments[3];
    register uint64_t fifth __asm__("r8") = arguments[4];
    register uint64_t sixth __asm__("r9") = arguments[5];
    uint64_t result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(arguments[0]), "S"(arguments[1]), "d"(arguments[2]),
                       "r"(fourth), "r"(fifth), "r"(sixth)
                     : "rcx", "r11", "memory");
    return result;
}

static uint64_t
call_32(uint64_t number, const uint64_t *arguments)
{
    uint64_t result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "0"(number), "b"(arguments[0]), "c"(arguments[1]), "d"(arguments[2]),
                       "S"(arguments[3]), "D"(arguments[4])
                     : "r8", "r9", "r10", "r11", "memory");
    return result;
}

static uint64_t
copy(const uint64_t *arguments)
{
    memcpy((void *)(uintptr_t)arguments[0], (const void *)(uintptr_t)arguments[1], arguments[2]);
    return arguments[2];
}

static uint64_t
jump(uint64_t address, const uint64_t *a)
{
    uint64_t (*code)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

    code = (__typeof__(code))(uintptr_t)address;
    return code(a[0], a[1], a[2], a[3], a[4], a[5]);
}

static uint64_t
return_from_signal(uint64_t stack)
{
    __asm__ volatile("movq %0, %%rsp\n\tsyscall" : : "r"(stack), "a"(SYS_rt_sigreturn) : "memory");
    __builtin_unreachable();
}

/* Where a forged return from a signal goes on. */
static void
resumed(void)
{
    const uint64_t none[DOOR_ARGUMENT_COUNT] = {77};

    call(SYS_socket, none);
    call(SYS_exit_group, none);
}

static uint64_t
where(uint64_t what)
{
    volatile char here;

    switch ((enum door_where)what) {
    case DOOR_WHERE_MEMORY:
        return engine_module.memory_base;
    case DOOR_WHERE_CODE:
        return (uint64_t)(uintptr_t)where;
    case DOOR_WHERE_STACK:
        return (uint64_t)(uintptr_t)&here;
    case DOOR_WHERE_RESUMED:
        return (uint64_t)(uintptr_t)resumed;
    }
    return 0;
}

static uint64_t
instruction(uint64_t which)
{
    switch ((enum door_instruction)which) {
    case DOOR_INSTRUCTION_NONE:
        break;
#define INSTRUCTION(name, text)                                                                    \
    case DOOR_INSTRUCTION_##name:                                                                  \
        __asm__ volatile(text : : : "rax", "rcx", "rdx", "memory");                                \
        break;
#include "tests/escape/instructions.def"
#undef INSTRUCTION
    }
    return 0;
}

/* The zygote of this image waits for requests in poll(). */
static struct door_request *later;

int __real_poll(struct pollfd *watched, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *watched, nfds_t count, int timeout_ms);

int
__wrap_poll(struct pollfd *watched, nfds_t count, int timeout_ms)
{
    struct door_request *request = later;

    later = NULL;
    if (request != NULL)
        request->result = call(request->number, request->arguments);
    return __real_poll(watched, count, timeout_ms);
}

static uint64_t
serve(struct door_request *request)
{
    switch ((enum door_operation)request->operation) {
    case DOOR_CALL:
        return call(request->number, request->arguments);
    case DOOR_CALL_32:
        return call_32(request->number, request->arguments);
    case DOOR_COPY:
        return copy(request->arguments);
    case DOOR_JUMP:
        return jump(request->number, request->arguments);
    case DOOR_SIGRETURN:
        return return_from_signal(request->number);
    case DOOR_WHERE:
        return where(request->number);
    case DOOR_LATER:
        later = request;
        return 0;
    case DOOR_INSTRUCTION:
        return instruction(request->number);
    }
    return 0;
}

uint32_t
__wrap_wasi_sock_recv(uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint32_t flags,
                      uint32_t ret_bytes, uint32_t ret_flags)
{
    if (fd != DOOR_FD)
        return __real_wasi_sock_recv(fd, iovs, iovs_len, flags, ret_bytes, ret_flags);
    struct door_request *request = (void *)(uintptr_t)(engine_module.memory_base + iovs);
    request->result = serve(request);
    return 0;
}
