/* The guest's clocks. */
#ifndef RETORT_WASI_CLOCK_H
#define RETORT_WASI_CLOCK_H

#include <stdint.h>

#include "worker/wasi/abi.h"

/* Nanoseconds. clock < WASI_CLOCK_COUNT. */
uint64_t wasi_clock_now(enum wasi_clock clock);
/* Sleeps until that reading of the monotonic clock; at once when it is past. */
void wasi_clock_sleep_until(uint64_t monotonic_ns);

#endif
