#include "api/request_metrics.h"

#include "api/failures.h"
#include "api/routes.h"

static const struct {
    int number;
    const char *text;
} statuses[] = {
#define HTTP_STATUS(symbol, number, reason, error) {number, #number},
#include "api/http_status.def"
#undef HTTP_STATUS
};

#define STATUS_COUNT (sizeof(statuses) / sizeof(statuses[0]))

static unsigned
status_label(int status)
{
    unsigned i = 0;
    while (i + 1 < STATUS_COUNT && statuses[i].number != status)
        i++;
    return i;
}

int
request_metrics_init(const struct languages *languages, struct err *err)
{
    static const char *method_names[HTTP_METHOD_COUNT];
    static const char *status_names[STATUS_COUNT];
    for (unsigned i = 0; i < HTTP_METHOD_COUNT; i++)
        method_names[i] = http_method_text((enum http_method)i);
    for (unsigned i = 0; i < STATUS_COUNT; i++)
        status_names[i] = statuses[i].text;
    const struct metrics_options options = {.programs = METRICS_API,
                                            .routes = routes_labels(),
                                            .methods = {method_names, HTTP_METHOD_COUNT},
                                            .statuses = {status_names, STATUS_COUNT},
                                            .languages = languages};
    if (failures_init(err) < 0)
        return -1;
    return metrics_init(&options, err);
}

void
request_metrics_count(enum http_method method, unsigned route, int status)
{
    metrics_add(METRIC_HTTP_REQUESTS, METRIC_SERIES(route, (unsigned)method, status_label(status)),
                1);
}

static void
count_run(unsigned language, const struct result *result, uint64_t total_us)
{
    const struct metric_series series = METRIC_SERIES(language);
    metrics_observe_us(METRIC_JOB_QUEUE, series, result->queue_us);
    metrics_observe_us(METRIC_JOB_EXECUTION, series, result->exec_us);
    metrics_observe_us(METRIC_JOB_TOTAL, series, total_us);
    if (result->out.dropped_bytes > 0)
        metrics_add(METRIC_OUTPUT_DROPPED, METRIC_SERIES(METRIC_STDOUT), result->out.dropped_bytes);
    if (result->err.dropped_bytes > 0)
        metrics_add(METRIC_OUTPUT_DROPPED, METRIC_SERIES(METRIC_STDERR), result->err.dropped_bytes);
}

void
request_metrics_job(unsigned language, const struct result *result, const struct err *err,
                    uint64_t total_us)
{
    enum err_code code = err ? err->code : result->error;
    enum verdict verdict = err ? VERDICT_NONE : result->verdict;
    metrics_add(METRIC_JOBS, METRIC_SERIES(language, metrics_outcome(code, verdict)), 1);
    failures_note(language, result, err, total_us);
    if (code == ERR_NONE)
        count_run(language, result, total_us);
    else if (code == ERR_QUEUE_TIMEOUT)
        metrics_observe_us(METRIC_JOB_QUEUE, METRIC_SERIES(language), total_us);
}
