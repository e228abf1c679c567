/* What the files of the metrics share. */
#ifndef RETORT_METRICS_INTERNAL_H
#define RETORT_METRICS_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/metrics.h"

enum metric_kind { METRIC_KIND_COUNTER, METRIC_KIND_GAUGE, METRIC_KIND_HISTOGRAM };

/* What is shown: of counters and histograms, or how the gauges of several processes are one. */
enum metric_manner {
    METRIC_MANNER_ALL,
    METRIC_MANNER_USED,
    METRIC_MANNER_SUM,
    METRIC_MANNER_MIN,
    METRIC_MANNER_OWN
};

struct metric_row {
    unsigned programs;
    enum metric_kind kind;
    const char *name;
    enum metric_label labels[METRICS_LABELS];
    enum metric_manner manner;
    const char *help;
};

extern const struct metric_row metric_rows[METRIC_COUNT];

/* Upper bounds in microseconds, ascending; a last bucket takes all above. */
#define METRIC_BUCKETS 16
extern const uint64_t metric_bounds_us[METRIC_BUCKETS - 1];

/* Of a series of a histogram: its buckets, not cumulative, and then its sum in microseconds. */
#define METRIC_HISTOGRAM_CELLS (METRIC_BUCKETS + 1)

/* A gauge of which nothing is known. */
#define METRIC_ABSENT INT64_MIN

typedef _Atomic uint64_t metric_cell;

/* First cell of the series, in that slot if it is a gauge; NULL: there is no mapping. */
metric_cell *metrics_cells(enum metric metric, struct metric_series series, unsigned slot);
unsigned metrics_slot(void);
bool metrics_shows(enum metric metric); /* a row of this program */
const struct metric_names *metrics_label_values(enum metric_label label);

#endif
