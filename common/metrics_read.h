/* Reading single numbers of this process's metrics, for what is not Prometheus. */
#ifndef RETORT_METRICS_READ_H
#define RETORT_METRICS_READ_H

#include "common/metrics.h"

#define METRICS_READ_BUCKETS 16

/* 0 for a gauge of which nothing is known. Of a gauge: this process's. */
uint64_t metrics_read(enum metric metric, struct metric_series series);
/* How many observations each bucket has, those of other buckets not included. */
void metrics_read_histogram(enum metric histogram, struct metric_series series,
                            uint64_t counts[METRICS_READ_BUCKETS]);
/* Upper bounds of all buckets but the last, which has none; microseconds, static. */
const uint64_t *metrics_read_bounds_us(void);
/* The values of a label, by their numbers. */
const struct metric_names *metrics_read_names(enum metric_label label);

#endif
