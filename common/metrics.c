/*
 * One mapping of 64-bit cells: first those of all counters and histograms, then the gauges of each
 * slot. A metric has a cell (a histogram: METRIC_HISTOGRAM_CELLS) for every combination of its
 * labels' values, which are all known when the mapping is made.
 *
 * Cells are added to and read one by one, relaxed: a page that is printed meanwhile may have one
 * observation in a histogram's buckets and not yet in its sum, as with any such program.
 */
#include "common/metrics.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "common/metrics_internal.h"

#define API    METRICS_API
#define WORKER METRICS_WORKER

const struct metric_row metric_rows[METRIC_COUNT] = {
#define METRIC(programs_, kind_, symbol, name_, first, second, third, manner_, help_)              \
    [METRIC_##                                                                                     \
        symbol] = {.programs = (programs_),                                                        \
                   .kind = METRIC_KIND_##kind_,                                                    \
                   .name = (name_),                                                                \
                   .labels = {METRIC_LABEL_##first, METRIC_LABEL_##second, METRIC_LABEL_##third},  \
                   .manner = METRIC_MANNER_##manner_,                                              \
                   .help = (help_)},
#include "common/metrics.def"
#undef METRIC
};

/* From what a warm job takes to the longest that a client waits by default. */
const uint64_t metric_bounds_us[METRIC_BUCKETS - 1] = {
    500,    1000,   2500,    5000,    10000,   25000,    50000,    100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000,
};

#define OTHER "other"

static const char *const outcomes[] = {
#define VERDICT(symbol, name, text) name,
#include "common/verdict.def"
#undef VERDICT
#define ERR(symbol, name, http_status, retryable, text) name,
#include "common/err.def"
#undef ERR
};
static const char *const streams[] = {[METRIC_STDOUT] = "stdout", [METRIC_STDERR] = "stderr"};
static const char *const reasons[] = {[METRIC_DIED] = "died", [METRIC_PLANNED] = "planned"};
static const char *const nothing[] = {""};

#define NAMES(list)                                                                                \
    {                                                                                              \
        list, sizeof(list) / sizeof((list)[0])                                                     \
    }

/* Of this process. What forked processes share is only what `cells` points to. */
static struct {
    metric_cell *cells; /* NULL: there are no metrics */
    size_t bytes;
    size_t gauges; /* number of the first gauge's cell of slot 0 */
    size_t gauges_of_slot;
    unsigned programs;
    unsigned slot;
    size_t first[METRIC_COUNT]; /* number of the first cell; of a gauge, in its slot */
    struct languages languages;
    const char *language_names[LANGUAGES_MOST + 1];
    struct metric_names values[METRIC_LABEL_COUNT];
} metrics = {.values = {[METRIC_LABEL_NONE] = NAMES(nothing),
                        [METRIC_LABEL_OUTCOME] = NAMES(outcomes),
                        [METRIC_LABEL_STREAM] = NAMES(streams),
                        [METRIC_LABEL_REASON] = NAMES(reasons)}};

static struct metric_names
or_nothing(struct metric_names names)
{
    return names.count > 0 ? names : (struct metric_names)NAMES(nothing);
}

static void
take_values(const struct metrics_options *options)
{
    size_t count = options->languages->count;

    metrics.languages = *options->languages;
    for (size_t i = 0; i < count; i++)
        metrics.language_names[i] = metrics.languages.list[i].name;
    metrics.language_names[count] = OTHER;
    metrics.values[METRIC_LABEL_LANGUAGE] =
        (struct metric_names){metrics.language_names, count + 1};
    metrics.values[METRIC_LABEL_ROUTE] = or_nothing(options->routes);
    metrics.values[METRIC_LABEL_METHOD] = or_nothing(options->methods);
    metrics.values[METRIC_LABEL_STATUS] = or_nothing(options->statuses);
}

static size_t
cells_of(const struct metric_row *row)
{
    size_t count = row->kind == METRIC_KIND_HISTOGRAM ? METRIC_HISTOGRAM_CELLS : 1;

    for (int i = 0; i < METRICS_LABELS; i++)
        count *= metrics.values[row->labels[i]].count;
    return count;
}

/* Where each metric's cells are. */
static void
lay_out(void)
{
    metrics.gauges = 0;
    metrics.gauges_of_slot = 0;
    for (int i = 0; i < METRIC_COUNT; i++) {
        size_t *next =
            metric_rows[i].kind == METRIC_KIND_GAUGE ? &metrics.gauges_of_slot : &metrics.gauges;
        metrics.first[i] = *next;
        if (metrics_shows((enum metric)i))
            *next += cells_of(&metric_rows[i]);
    }
    metrics.bytes =
        (metrics.gauges + metrics.gauges_of_slot * METRICS_SLOTS) * sizeof(*metrics.cells);
}

int
metrics_init(const struct metrics_options *options, struct err *err)
{
    metrics_fini();
    metrics.programs = options->programs;
    take_values(options);
    lay_out();
    void *cells =
        mmap(NULL, metrics.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (cells == MAP_FAILED)
        return err_set(err, ERR_SYSTEM, errno, "no memory for the metrics");
    metrics.cells = cells;
    for (unsigned slot = 0; slot < METRICS_SLOTS; slot++)
        metrics_reset_slot(slot);
    metrics_use_slot(0);
    return 0;
}

void
metrics_fini(void)
{
    if (metrics.cells)
        (void)munmap((void *)metrics.cells, metrics.bytes);
    metrics.cells = NULL;
}

bool
metrics_shows(enum metric metric)
{
    return (metric_rows[metric].programs & metrics.programs) != 0;
}

unsigned
metrics_slot(void)
{
    return metrics.slot;
}

const struct metric_names *
metrics_label_values(enum metric_label label)
{
    return &metrics.values[label];
}

/* ---- slots ---- */

void
metrics_reset_slot(unsigned slot)
{
    if (!metrics.cells || slot >= METRICS_SLOTS)
        return;
    metric_cell *gauges = metrics.cells + metrics.gauges + slot * metrics.gauges_of_slot;
    for (size_t i = 0; i < metrics.gauges_of_slot; i++)
        atomic_store_explicit(&gauges[i], (uint64_t)METRIC_ABSENT, memory_order_relaxed);
}

/* Sums begin at 0, for what is told as a difference. */
void
metrics_use_slot(unsigned slot)
{
    if (!metrics.cells || slot >= METRICS_SLOTS)
        return;
    metrics.slot = slot;
    metrics_reset_slot(slot);
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (metric_rows[i].manner == METRIC_MANNER_SUM && metrics_shows((enum metric)i))
            metrics_set((enum metric)i, METRIC_ONLY, 0);
    }
}

/* ---- the cells ---- */

metric_cell *
metrics_cells(enum metric metric, struct metric_series series, unsigned slot)
{
    const struct metric_row *row = &metric_rows[metric];
    size_t number = 0;

    if (!metrics.cells || !metrics_shows(metric))
        return NULL;
    for (int i = 0; i < METRICS_LABELS; i++) {
        size_t count = metrics.values[row->labels[i]].count;
        size_t at = series.at[i] < count ? series.at[i] : count - 1;
        number = number * count + at;
    }
    if (row->kind == METRIC_KIND_HISTOGRAM)
        number *= METRIC_HISTOGRAM_CELLS;
    if (row->kind == METRIC_KIND_GAUGE)
        number += metrics.gauges + slot * metrics.gauges_of_slot;
    return metrics.cells + metrics.first[metric] + number;
}

void
metrics_add(enum metric counter, struct metric_series series, uint64_t count)
{
    metric_cell *cell = metrics_cells(counter, series, metrics.slot);

    if (cell)
        (void)atomic_fetch_add_explicit(cell, count, memory_order_relaxed);
}

void
metrics_observe_us(enum metric histogram, struct metric_series series, uint64_t us)
{
    metric_cell *cells = metrics_cells(histogram, series, metrics.slot);
    size_t bucket = 0;

    if (!cells)
        return;
    while (bucket < METRIC_BUCKETS - 1 && us > metric_bounds_us[bucket])
        bucket++;
    (void)atomic_fetch_add_explicit(&cells[bucket], 1, memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&cells[METRIC_BUCKETS], us, memory_order_relaxed);
}

void
metrics_set(enum metric gauge, struct metric_series series, uint64_t value)
{
    metric_cell *cell = metrics_cells(gauge, series, metrics.slot);

    if (cell)
        atomic_store_explicit(cell, value, memory_order_relaxed);
}

void
metrics_shift(enum metric gauge, struct metric_series series, int64_t difference)
{
    metrics_add(gauge, series, (uint64_t)difference);
}

void
metrics_unset(enum metric gauge, struct metric_series series)
{
    metrics_set(gauge, series, (uint64_t)METRIC_ABSENT);
}

/* ---- numbers of labels' values ---- */

unsigned
metrics_language(const char *name)
{
    const struct metric_names *known = &metrics.values[METRIC_LABEL_LANGUAGE];
    unsigned i = 0;

    while (i + 1 < known->count && strcmp(known->list[i], name) != 0)
        i++;
    return i;
}

unsigned
metrics_outcome(enum err_code code, enum verdict verdict)
{
    if (code != ERR_NONE)
        return VERDICT_COUNT - 1 + (unsigned)code - 1;
    return verdict != VERDICT_NONE ? (unsigned)verdict - 1 : UINT32_MAX;
}
