/* What is counted of requests and jobs. The rows are in common/metrics.def. */
#ifndef RETORT_REQUEST_METRICS_H
#define RETORT_REQUEST_METRICS_H

#include "api/http.h"
#include "common/err.h"
#include "common/job.h"
#include "common/metrics.h"

/* Makes the mapping, with routes, methods and statuses as labels; before any fork. */
int request_metrics_init(const struct languages *languages, struct err *err);
/* A request is answered, or its client gone: route as routes_label() has it. */
void request_metrics_count(enum http_method method, unsigned route, int status);
/* A job has ended in result or, if that is not NULL, in err; total_us after its request came. */
void request_metrics_job(unsigned language, const struct result *result, const struct err *err,
                         uint64_t total_us);

#endif
