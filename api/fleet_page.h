/*
 * GET /v1/fleet: queues, workers, slots, latency and recent failures, for the page at /admin and
 * whoever else looks. Counts and latencies are those of this host's API processes since they began.
 */
#ifndef RETORT_FLEET_PAGE_H
#define RETORT_FLEET_PAGE_H

#include "api/exchange.h"

struct redis_script;

void fleet_page_init(struct redis_script *workers);
void fleet_page_handle(struct exchange *exchange);

#endif
