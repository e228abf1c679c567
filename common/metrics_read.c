#include "common/metrics_read.h"

#include "common/metrics_internal.h"

_Static_assert(METRICS_READ_BUCKETS == METRIC_BUCKETS, "one number of buckets");

uint64_t
metrics_read(enum metric metric, struct metric_series series)
{
    metric_cell *cell = metrics_cells(metric, series, metrics_slot());
    uint64_t value = cell ? atomic_load_explicit(cell, memory_order_relaxed) : 0;

    return value == (uint64_t)METRIC_ABSENT ? 0 : value;
}

void
metrics_read_histogram(enum metric histogram, struct metric_series series,
                       uint64_t counts[METRICS_READ_BUCKETS])
{
    metric_cell *cells = metrics_cells(histogram, series, metrics_slot());

    for (size_t i = 0; i < METRICS_READ_BUCKETS; i++)
        counts[i] = cells ? atomic_load_explicit(&cells[i], memory_order_relaxed) : 0;
}

const uint64_t *
metrics_read_bounds_us(void)
{
    return metric_bounds_us;
}

const struct metric_names *
metrics_read_names(enum metric_label label)
{
    return metrics_label_values(label);
}
