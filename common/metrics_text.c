/* The page: https://prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/metrics_internal.h"

#define US_IN_S 1000000

struct page {
    metrics_put_fn *put;
    void *context;
};

static const char *const label_names[METRIC_LABEL_COUNT] = {
    [METRIC_LABEL_ROUTE] = "route",     [METRIC_LABEL_METHOD] = "method",
    [METRIC_LABEL_STATUS] = "status",   [METRIC_LABEL_LANGUAGE] = "language",
    [METRIC_LABEL_OUTCOME] = "outcome", [METRIC_LABEL_STREAM] = "stream",
    [METRIC_LABEL_REASON] = "reason",
};

static void put_format(const struct page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void
put_format(const struct page *page, const char *format, ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (size > 0)
        page->put(page->context, text,
                  (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1);
}

static void
put_text(const struct page *page, const char *text)
{
    page->put(page->context, text, strlen(text));
}

/* Backslashes and line ends, and in values of labels quotes too. */
static void
put_escaped(const struct page *page, const char *text, bool quoted)
{
    for (; *text; text++) {
        if (*text == '\n')
            put_text(page, "\\n");
        else if (*text == '\\' || (*text == '"' && quoted))
            put_format(page, "\\%c", *text);
        else
            page->put(page->context, text, 1);
    }
}

/* {a="b",le="0.5"}; le NULL: none. */
static void
put_labels(const struct page *page, const struct metric_row *row, struct metric_series series,
           const char *le)
{
    const char *separator = "{";

    for (int i = 0; i < METRICS_LABELS && row->labels[i] != METRIC_LABEL_NONE; i++) {
        put_format(page, "%s%s=\"", separator, label_names[row->labels[i]]);
        put_escaped(page, metrics_label_values(row->labels[i])->list[series.at[i]], true);
        put_text(page, "\"");
        separator = ",";
    }
    if (le) {
        put_format(page, "%sle=\"%s\"", separator, le);
        separator = ",";
    }
    if (*separator == ',')
        put_text(page, "}");
}

static void
put_bound(char *text, size_t size, uint64_t us)
{
    (void)snprintf(text, size, "%g", (double)us / US_IN_S);
}

static void
put_histogram(const struct page *page, enum metric metric, struct metric_series series)
{
    const struct metric_row *row = &metric_rows[metric];
    metric_cell *cells = metrics_cells(metric, series, 0);
    uint64_t sum = atomic_load_explicit(&cells[METRIC_BUCKETS], memory_order_relaxed);
    uint64_t count = 0;

    for (size_t i = 0; i < METRIC_BUCKETS; i++) {
        char le[32] = "+Inf";
        if (i < METRIC_BUCKETS - 1)
            put_bound(le, sizeof(le), metric_bounds_us[i]);
        count += atomic_load_explicit(&cells[i], memory_order_relaxed);
        put_format(page, "%s_bucket", row->name);
        put_labels(page, row, series, le);
        put_format(page, " %" PRIu64 "\n", count);
    }
    put_format(page, "%s_sum", row->name);
    put_labels(page, row, series, NULL);
    put_format(page, " %" PRIu64 ".%06" PRIu64 "\n%s_count", sum / US_IN_S, sum % US_IN_S,
               row->name);
    put_labels(page, row, series, NULL);
    put_format(page, " %" PRIu64 "\n", count);
}

/* The value of a gauge in one slot, or METRIC_ABSENT. */
static int64_t
gauge_of(enum metric metric, struct metric_series series, unsigned slot)
{
    return (int64_t)atomic_load_explicit(metrics_cells(metric, series, slot), memory_order_relaxed);
}

static int64_t
gather(enum metric metric, struct metric_series series)
{
    enum metric_manner manner = metric_rows[metric].manner;
    int64_t all = METRIC_ABSENT;

    if (manner == METRIC_MANNER_OWN)
        return gauge_of(metric, series, metrics_slot());
    for (unsigned slot = 0; slot < METRICS_SLOTS; slot++) {
        int64_t one = gauge_of(metric, series, slot);
        if (one == METRIC_ABSENT)
            continue;
        if (all == METRIC_ABSENT)
            all = one;
        else if (manner == METRIC_MANNER_SUM)
            all += one;
        else if (one < all)
            all = one;
    }
    return all;
}

/* The last language is all those that are not known: shown once there was one. */
static bool
is_other_language(const struct metric_row *row, struct metric_series series)
{
    return row->labels[0] == METRIC_LABEL_LANGUAGE &&
           series.at[0] + 1 == metrics_label_values(METRIC_LABEL_LANGUAGE)->count;
}

static bool
is_used(enum metric metric, struct metric_series series)
{
    metric_cell *cells = metrics_cells(metric, series, 0);
    size_t count = metric_rows[metric].kind == METRIC_KIND_HISTOGRAM ? METRIC_BUCKETS : 1;
    uint64_t any = 0;

    for (size_t i = 0; i < count; i++)
        any |= atomic_load_explicit(&cells[i], memory_order_relaxed);
    return any != 0;
}

static void
put_series(const struct page *page, enum metric metric, struct metric_series series)
{
    const struct metric_row *row = &metric_rows[metric];
    int64_t value;

    if (row->kind == METRIC_KIND_GAUGE) {
        value = gather(metric, series);
        if (value == METRIC_ABSENT)
            return;
    } else {
        if ((row->manner == METRIC_MANNER_USED || is_other_language(row, series)) &&
            !is_used(metric, series))
            return;
        if (row->kind == METRIC_KIND_HISTOGRAM) {
            put_histogram(page, metric, series);
            return;
        }
        value =
            (int64_t)atomic_load_explicit(metrics_cells(metric, series, 0), memory_order_relaxed);
    }
    put_text(page, row->name);
    put_labels(page, row, series, NULL);
    put_format(page, " %" PRId64 "\n", value);
}

/* To the next combination of labels' values; false: that was the last one. */
static bool
next_series(const struct metric_row *row, struct metric_series *series)
{
    for (int i = METRICS_LABELS - 1; i >= 0; i--) {
        if (++series->at[i] < metrics_label_values(row->labels[i])->count)
            return true;
        series->at[i] = 0;
    }
    return false;
}

static void
put_metric(const struct page *page, enum metric metric)
{
    static const char *const types[] = {[METRIC_KIND_COUNTER] = "counter",
                                        [METRIC_KIND_GAUGE] = "gauge",
                                        [METRIC_KIND_HISTOGRAM] = "histogram"};
    const struct metric_row *row = &metric_rows[metric];
    struct metric_series series = METRIC_ONLY;

    put_format(page, "# HELP %s ", row->name);
    put_escaped(page, row->help, false);
    put_format(page, "\n# TYPE %s %s\n", row->name, types[row->kind]);
    do
        put_series(page, metric, series);
    while (next_series(row, &series));
}

void
metrics_print(metrics_put_fn *put, void *context)
{
    const struct page page = {put, context};

    for (int i = 0; i < METRIC_COUNT; i++) {
        if (metrics_cells((enum metric)i, METRIC_ONLY, 0))
            put_metric(&page, (enum metric)i);
    }
}
