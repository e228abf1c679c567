/* What both measuring programs share: a clock, and samples printed as one line of JSON. */
#ifndef RETORT_BENCH_SAMPLES_H
#define RETORT_BENCH_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples {
    uint64_t *us; /* one for each thing measured */
    size_t count;
    size_t capacity;
    uint64_t errors;
    uint64_t began_us;
    uint64_t ended_us;
};

uint64_t samples_clock_us(void);
/* Exits on want of memory: these programs only measure. */
void samples_init(struct samples *samples, size_t capacity);
void samples_add(struct samples *samples, uint64_t us);
void samples_sort(struct samples *samples);
/* Of sorted samples; 0 of none. */
uint64_t samples_quantile(const struct samples *samples, unsigned percent);
/* {"count":..,"errors":..,"seconds":..,"per_second":..,"p50_us":..,"p99_us":..,...}; extra: more.
 */
void samples_print(struct samples *samples, const char *extra);
void samples_fini(struct samples *samples);

#endif
