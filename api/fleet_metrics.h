/* What this process sees of Redis, queue and workers, as gauges: looked at twice a second. */
#ifndef RETORT_FLEET_METRICS_H
#define RETORT_FLEET_METRICS_H

#include <stdint.h>

#include "common/err.h"

struct app;
struct event;

/* Zeroed: not started. */
struct fleet_metrics {
    struct app *app;
    struct event *timer;
};

/* app->base, app->queue and app->languages are there. */
int fleet_metrics_start(struct fleet_metrics *metrics, struct app *app, struct err *err);
/* Looks now. */
void fleet_metrics_refresh(struct fleet_metrics *metrics);
void fleet_metrics_stop(struct fleet_metrics *metrics);

#endif
