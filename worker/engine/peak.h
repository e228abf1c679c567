/*
 * Where the size of linear memory is kept for others to read, from each memory.grow on; NULL:
 * nowhere. Apart from engine.h, which is part of what every image's code is compiled from.
 */
#ifndef RETORT_ENGINE_PEAK_H
#define RETORT_ENGINE_PEAK_H

#include <stdatomic.h>
#include <stdint.h>

extern _Atomic uint64_t *engine_memory_peak_bytes;

#endif
