#include "tests/escape/guest/door_calls.h"

#define HOST_RT_SIGPROCMASK 14
#define HOST_EINVAL         22
#define NO_SUCH_HOW         99
#define HOST_SIGSET_BYTES   8

__attribute__((import_module("wasi_snapshot_preview1"), import_name("sock_recv"))) uint32_t
import_sock_recv(uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint32_t flags, uint32_t ret_bytes,
                 uint32_t ret_flags);

void
door_at(enum door_operation operation, struct door_request *request)
{
    request->operation = operation;
    (void)import_sock_recv(DOOR_FD, (uint32_t)(uintptr_t)request, 0, 0, 0, 0);
}

uint64_t
door(enum door_operation operation, uint64_t number, const uint64_t *arguments)
{
    volatile struct door_request request = {.operation = operation, .number = number};

    for (int i = 0; arguments != NULL && i < DOOR_ARGUMENT_COUNT; i++)
        request.arguments[i] = arguments[i];
    (void)import_sock_recv(DOOR_FD, (uint32_t)(uintptr_t)&request, 0, 0, 0, 0);
    return request.result;
}

uint64_t
host_address(const void *pointer)
{
    static uint64_t memory;
    static bool known;

    if (!known)
        memory = door(DOOR_WHERE, DOOR_WHERE_MEMORY, NULL);
    known = true;
    return memory + (uint32_t)(uintptr_t)pointer;
}

int64_t
host_call(int number, uint64_t first, uint64_t second, uint64_t third)
{
    /* The fourth is the size of a set of signals, for the one call that has one. */
    const uint64_t arguments[DOOR_ARGUMENT_COUNT] = {first, second, third, HOST_SIGSET_BYTES};

    return (int64_t)door(DOOR_CALL, (uint64_t)number, arguments);
}

void
host_read(void *buffer, uint64_t address, size_t size)
{
    const uint64_t arguments[DOOR_ARGUMENT_COUNT] = {host_address(buffer), address, size};

    (void)door(DOOR_COPY, 0, arguments);
}

void
host_write(uint64_t address, const void *data, size_t size)
{
    const uint64_t arguments[DOOR_ARGUMENT_COUNT] = {address, host_address(data), size};

    (void)door(DOOR_COPY, 0, arguments);
}

uint64_t
host_word(uint64_t address)
{
    uint64_t word;

    host_read(&word, address, sizeof(word));
    return word;
}

/* The set is read before "how" is looked at: EFAULT when it cannot be. */
bool
host_is_readable(uint64_t address)
{
    return host_call(HOST_RT_SIGPROCMASK, NO_SUCH_HOW, address, 0) == -HOST_EINVAL;
}
