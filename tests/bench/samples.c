#include "tests/bench/samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t
samples_clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void
samples_init(struct samples *samples, size_t capacity)
{
    *samples = (struct samples){.capacity = capacity, .began_us = samples_clock_us()};
    samples->us = calloc(capacity, sizeof(*samples->us));
    if (!samples->us) {
        perror("samples");
        exit(1);
    }
}

void
samples_add(struct samples *samples, uint64_t us)
{
    if (samples->count < samples->capacity)
        samples->us[samples->count++] = us;
    samples->ended_us = samples_clock_us();
}

static int
compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

uint64_t
samples_quantile(const struct samples *samples, unsigned percent)
{
    if (samples->count == 0)
        return 0;
    size_t rank = (samples->count * percent + 99) / 100;
    return samples->us[rank > 0 ? rank - 1 : 0];
}

void
samples_sort(struct samples *samples)
{
    qsort(samples->us, samples->count, sizeof(*samples->us), compare);
}

void
samples_print(struct samples *samples, const char *extra)
{
    samples_sort(samples);
    double seconds = (double)(samples->ended_us - samples->began_us) / 1e6;
    printf("{\"count\":%zu,\"errors\":%" PRIu64 ",\"seconds\":%.6f,\"per_second\":%.2f,"
           "\"min_us\":%" PRIu64 ",\"p50_us\":%" PRIu64 ",\"p90_us\":%" PRIu64
           ",\"p99_us\":%" PRIu64 ",\"max_us\":%" PRIu64 "%s}\n",
           samples->count, samples->errors, seconds,
           seconds > 0 ? (double)samples->count / seconds : 0.0, samples_quantile(samples, 0),
           samples_quantile(samples, 50), samples_quantile(samples, 90),
           samples_quantile(samples, 99), samples_quantile(samples, 100), extra);
}

void
samples_fini(struct samples *samples)
{
    free(samples->us);
    samples->us = NULL;
}
