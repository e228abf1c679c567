/* What the process knows of itself and of the world: arguments, clocks, randomness, its end. */
#include <string.h>
#include <time.h>

#include "worker/wasi/clock.h"
#include "worker/wasi/descriptor.h"
#include "worker/wasi/device.h"
#include "worker/wasi/functions.h"
#include "worker/wasi/guest.h"
#include "worker/wasi/job.h"

static enum wasi_errno
strings_sizes(struct job_strings strings, uint32_t ret_count, uint32_t ret_bytes)
{
    uint32_t count = 0;
    uint64_t bytes = 0;
    const char *text;
    size_t text_bytes;

    while (job_next_string(&strings, &text, &text_bytes)) {
        count++;
        bytes += text_bytes + 1;
    }
    if (bytes > UINT32_MAX)
        return WASI_EOVERFLOW;
    enum wasi_errno error = guest_store_u32(ret_count, count);
    return error == WASI_OK ? guest_store_u32(ret_bytes, (uint32_t)bytes) : error;
}

/* An array of pointers to the texts, and the texts with their NULs. */
static enum wasi_errno
strings_copy(struct job_strings strings, uint32_t array, uint32_t buffer)
{
    const char *text;
    size_t text_bytes;

    for (; job_next_string(&strings, &text, &text_bytes); array += (uint32_t)sizeof(uint32_t)) {
        char *copy = guest_at(buffer, (uint64_t)text_bytes + 1);
        if (copy == NULL || guest_store_u32(array, buffer) != WASI_OK)
            return WASI_EFAULT;
        memcpy(copy, text, text_bytes);
        copy[text_bytes] = '\0';
        buffer += (uint32_t)text_bytes + 1;
    }
    return WASI_OK;
}

uint32_t
wasi_args_get(uint32_t argv, uint32_t argv_buf)
{
    return strings_copy(job_arguments(), argv, argv_buf);
}

uint32_t
wasi_args_sizes_get(uint32_t ret_count, uint32_t ret_bytes)
{
    return strings_sizes(job_arguments(), ret_count, ret_bytes);
}

uint32_t
wasi_environ_get(uint32_t env, uint32_t env_buf)
{
    return strings_copy(job_environment(), env, env_buf);
}

uint32_t
wasi_environ_sizes_get(uint32_t ret_count, uint32_t ret_bytes)
{
    return strings_sizes(job_environment(), ret_count, ret_bytes);
}

uint32_t
wasi_clock_res_get(uint32_t clock_id, uint32_t ret_resolution)
{
    if (clock_id >= WASI_CLOCK_COUNT)
        return WASI_EINVAL;
    /* All four of Linux's count nanoseconds; asking could be a call that a job may not make. */
    return guest_store_u64(ret_resolution, 1);
}

uint32_t
wasi_clock_time_get(uint32_t clock_id, uint64_t precision, uint32_t ret_time)
{
    (void)precision;
    if (clock_id >= WASI_CLOCK_COUNT)
        return WASI_EINVAL;
    return guest_store_u64(ret_time, wasi_clock_now((enum wasi_clock)clock_id));
}

_Noreturn void
wasi_proc_exit(uint32_t code)
{
    wasi_state.config.hooks.exit(code);
    __builtin_unreachable();
}

uint32_t
wasi_proc_raise(uint32_t signal)
{
    (void)signal;
    return WASI_ENOTSUP;
}

uint32_t
wasi_sched_yield(void)
{
    /* One thread: there is nobody to yield to that the kernel does not see to. */
    return WASI_OK;
}

uint32_t
wasi_random_get(uint32_t buf, uint32_t buf_len)
{
    char *buffer = guest_at(buf, buf_len);

    return buffer == NULL ? WASI_EFAULT : device_fill_random(buffer, buf_len);
}

/* There are no sockets. Directories are no descriptors for any call that moves bytes. */
static enum wasi_errno
no_socket(uint32_t fd)
{
    const struct descriptor *descriptor = descriptor_get(fd);

    return descriptor == NULL || descriptor_is(descriptor, NODE_DIRECTORY) ? WASI_EBADF
                                                                           : WASI_ENOTSOCK;
}

uint32_t
wasi_sock_accept(uint32_t fd, uint32_t fd_flags, uint32_t ret_fd)
{
    (void)fd_flags, (void)ret_fd;
    return no_socket(fd);
}

uint32_t
wasi_sock_recv(uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint32_t flags, uint32_t ret_bytes,
               uint32_t ret_flags)
{
    (void)iovs, (void)iovs_len, (void)flags, (void)ret_bytes, (void)ret_flags;
    return no_socket(fd);
}

uint32_t
wasi_sock_send(uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint32_t flags, uint32_t ret_bytes)
{
    (void)iovs, (void)iovs_len, (void)flags, (void)ret_bytes;
    return no_socket(fd);
}

uint32_t
wasi_sock_shutdown(uint32_t fd, uint32_t how)
{
    (void)how;
    return no_socket(fd);
}
