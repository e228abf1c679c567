/*
 * Counters, gauges and histograms, and their page in Prometheus's text format 0.0.4.
 *
 *     const struct metrics_options options = {.programs = METRICS_API, .routes = ..., ...};
 *     metrics_init(&options, &err);                    before any fork
 *     metrics_use_slot(1);                             in a forked process
 *     metrics_add(METRIC_JOBS, (struct metric_series){language, outcome}, 1);
 *     metrics_print(put, context);
 *     metrics_reset_slot(1);                           in its parent, when it has died
 *
 * All numbers are in one mapping that forked processes share: they add into the same counters, and
 * each has gauges of its own, in its slot. Adding is one atomic addition (two for a histogram) and
 * never allocates or fails; before metrics_init() it does nothing. The rows are in metrics.def.
 */
#ifndef RETORT_METRICS_H
#define RETORT_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/languages.h"
#include "common/verdict.h"

enum metric {
#define METRIC(programs, kind, symbol, ...) METRIC_##symbol,
#include "common/metrics.def"
#undef METRIC
    METRIC_COUNT
};

enum metrics_program { METRICS_API = 1, METRICS_WORKER = 2 };

enum metric_label {
    METRIC_LABEL_NONE,
    METRIC_LABEL_ROUTE,
    METRIC_LABEL_METHOD,
    METRIC_LABEL_STATUS,
    METRIC_LABEL_LANGUAGE,
    METRIC_LABEL_OUTCOME,
    METRIC_LABEL_STREAM,
    METRIC_LABEL_REASON,
    METRIC_LABEL_COUNT
};

/* Values of the labels `stream` and `reason`. */
enum metric_stream { METRIC_STDOUT, METRIC_STDERR };
enum metric_reason { METRIC_DIED, METRIC_PLANNED };

/* Processes that can share the mapping: 64, and one that replaces another. */
#define METRICS_SLOTS  65
#define METRICS_LABELS 3 /* of a metric, at most */

struct metric_names {
    const char *const *list;
    size_t count;
};

struct metrics_options {
    unsigned programs; /* enum metrics_program */
    /* Borrowed for ever; what is none of them is counted with the last one. */
    struct metric_names routes, methods, statuses;
    /* Borrowed for the call; all others are counted as "other". */
    const struct languages *languages;
};

/* Which series of a metric: the number of each label's value, in the order of the row's labels. */
struct metric_series {
    unsigned at[METRICS_LABELS];
};
#define METRIC_SERIES(...) ((struct metric_series){{__VA_ARGS__}})
#define METRIC_ONLY        METRIC_SERIES(0)

/* Makes the mapping; slot 0 is used. -1: no memory. */
int metrics_init(const struct metrics_options *options, struct err *err);
void metrics_fini(void);

/* The gauges of this process are those of slot, below METRICS_SLOTS, and begin anew. */
void metrics_use_slot(unsigned slot);
/* The process of that slot is gone: its gauges count no more. */
void metrics_reset_slot(unsigned slot);

void metrics_add(enum metric counter, struct metric_series series, uint64_t count);
void metrics_observe_us(enum metric histogram, struct metric_series series, uint64_t us);
void metrics_set(enum metric gauge, struct metric_series series, uint64_t value);
/* By a difference, which may be below 0. */
void metrics_shift(enum metric gauge, struct metric_series series, int64_t difference);
/* Its value is not known: the series is not shown. */
void metrics_unset(enum metric gauge, struct metric_series series);

/* Numbers of labels' values. */
unsigned metrics_language(const char *name);
/* Of the verdict, unless code is an error. */
unsigned metrics_outcome(enum err_code code, enum verdict verdict);

/* Sets process_*: reads a file of /proc. */
void metrics_note_process(void);

/* The page, in pieces. */
typedef void metrics_put_fn(void *context, const char *text, size_t size);
void metrics_print(metrics_put_fn *put, void *context);
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

#endif
