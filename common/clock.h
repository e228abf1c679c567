/* Time: one monotonic clock for durations, in microseconds. */
#ifndef RETORT_CLOCK_H
#define RETORT_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in microseconds. */
uint64_t clock_monotonic_us(void);
/* CLOCK_REALTIME in milliseconds since the epoch; for log lines only. */
int64_t clock_realtime_ms(void);

#endif
