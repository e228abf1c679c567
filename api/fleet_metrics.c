#include "api/fleet_metrics.h"

#include "api/app.h"
#include "common/metrics.h"

#define REFRESH_MS 500

void
fleet_metrics_refresh(struct fleet_metrics *metrics)
{
    const struct queue_client *queue = metrics->app->queue;
    metrics_set(METRIC_REDIS_UP, METRIC_ONLY, queue_client_connected(queue));
    metrics_note_process();
}

static void
on_timer(evutil_socket_t fd, short events, void *context)
{
    (void)fd;
    (void)events;
    fleet_metrics_refresh(context);
}

int
fleet_metrics_start(struct fleet_metrics *metrics, struct app *app, struct err *err)
{
    const struct timeval period = {.tv_usec = REFRESH_MS * 1000};
    metrics->app = app;
    metrics->timer = event_new(app->base, -1, EV_PERSIST, on_timer, metrics);
    if (!metrics->timer || event_add(metrics->timer, &period) < 0)
        return err_set(err, ERR_SYSTEM, 0, "no timer for the metrics");
    fleet_metrics_refresh(metrics);
    return 0;
}

void
fleet_metrics_stop(struct fleet_metrics *metrics)
{
    if (metrics->timer)
        event_free(metrics->timer);
    metrics->timer = NULL;
}
