#include "worker/wasi/device.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "worker/job_memory.h"
#include "worker/wasi/directory.h"
#include "worker/wasi/job.h"

static const char *const names[] = {
#define DEVICE(symbol, name) name,
#include "worker/wasi/device.def"
#undef DEVICE
};

int
device_make_directory(struct err *err)
{
    enum wasi_errno error;
    uint32_t directory = directory_make(NODE_ROOT, "dev", 3, NODE_DIRECTORY, &error);

    for (uint32_t i = 0; i < DEVICE_COUNT && error == WASI_OK; i++) {
        if (i == DEVICE_JOB_ENV)
            continue;
        uint32_t node = directory_make(directory, names[i], strlen(names[i]), NODE_DEVICE, &error);
        if (error == WASI_OK)
            node_own(node)->as.device = i;
    }
    return error == WASI_OK ? 0 : err_set(err, ERR_CONFIG, 0, "no room for devices");
}

void
device_await(enum device device)
{
    if (device != DEVICE_JOB || wasi_state.job_awaited)
        return;
    wasi_state.job_awaited = true;
    if (wasi_state.config.hooks.await_job != NULL)
        wasi_state.config.hooks.await_job();
}

enum wasi_errno
device_fill_random(char *buffer, size_t size)
{
    /* A fiber's stack grows when it is touched, but not when the kernel touches it. */
    memset(buffer, 0, size);
    while (size > 0) {
        ssize_t got = getrandom(buffer, size, 0);
        if (got < 0 && errno != EINTR)
            return WASI_EIO;
        if (got > 0) {
            buffer += got;
            size -= (size_t)got;
        }
    }
    return WASI_OK;
}

size_t
device_read(enum device device, uint64_t offset, char *buffer, size_t size)
{
    switch (device) {
    case DEVICE_ZERO:
        memset(buffer, 0, size);
        return size;
    case DEVICE_RANDOM:
    case DEVICE_URANDOM:
        return device_fill_random(buffer, size) == WASI_OK ? size : 0;
    case DEVICE_JOB:
        return job_read_strings(JOB_RECORD_ARG, offset, buffer, size);
    case DEVICE_JOB_ENV:
        return job_read_strings(JOB_RECORD_ENV, offset, buffer, size);
    case DEVICE_STDIN: /* these three are never open as themselves: see path_open.c */
    case DEVICE_STDOUT:
    case DEVICE_STDERR:
    case DEVICE_NULL:
    case DEVICE_NOTE:
    case DEVICE_COUNT:
        break;
    }
    return 0;
}

static enum wasi_errno
write_notes(const char *data, size_t size)
{
    void (*memory_fatal)(void) = wasi_state.config.hooks.memory_fatal;

    if (memchr(data, 'M', size) != NULL && memory_fatal != NULL)
        memory_fatal();
    return WASI_OK;
}

enum wasi_errno
device_write(enum device device, const char *data, size_t size)
{
    switch (device) {
    case DEVICE_NOTE:
        return write_notes(data, size);
    case DEVICE_JOB:
    case DEVICE_JOB_ENV:
    case DEVICE_STDIN:
    case DEVICE_STDOUT:
    case DEVICE_STDERR:
        return WASI_EINVAL;
    case DEVICE_NULL:
    case DEVICE_ZERO:
    case DEVICE_RANDOM:
    case DEVICE_URANDOM:
    case DEVICE_COUNT:
        break;
    }
    return WASI_OK;
}
