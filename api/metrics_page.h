/* GET /metrics. */
#ifndef RETORT_METRICS_PAGE_H
#define RETORT_METRICS_PAGE_H

#include "api/exchange.h"

void metrics_page(struct exchange *exchange);

#endif
