/* What is behind the files of /dev. */
#ifndef RETORT_WASI_DEVICE_H
#define RETORT_WASI_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "worker/wasi/abi.h"
#include "worker/wasi/state.h"

enum device {
#define DEVICE(symbol, name) DEVICE_##symbol,
#include "worker/wasi/device.def"
#undef DEVICE
    DEVICE_COUNT
};

/* Makes /dev in the root. */
int device_make_directory(struct err *err);

/* Called once before a read of at least one byte; for the job device this is the fork point. */
void device_await(enum device device);
/* How many bytes were put into buffer; 0: end of file. */
size_t device_read(enum device device, uint64_t offset, char *buffer, size_t size);
/* Devices take all that is written, or refuse it. */
enum wasi_errno device_write(enum device device, const char *data, size_t size);

/* WASI_OK, or what getrandom() failed with. */
enum wasi_errno device_fill_random(char *buffer, size_t size);

#endif
