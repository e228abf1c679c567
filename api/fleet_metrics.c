#include "api/fleet_metrics.h"

#include "api/app.h"
#include "api/fleet.h"
#include "common/metrics.h"

#define REFRESH_MS 500

static const enum metric of_languages[] = {METRIC_QUEUE_DEPTH, METRIC_WORKERS, METRIC_SLOTS,
                                           METRIC_SLOTS_BUSY};

static void
unset_all(void)
{
    for (unsigned language = 0; language <= LANGUAGES_MOST; language++) {
        for (size_t i = 0; i < sizeof(of_languages) / sizeof(of_languages[0]); i++)
            metrics_unset(of_languages[i], METRIC_SERIES(language));
    }
    metrics_unset(METRIC_DEAD_LETTERS, METRIC_ONLY);
}

static void
set_fleet(const struct queue_fleet *fleet)
{
    for (uint32_t i = 0; i < fleet->language_count; i++) {
        const struct queue_language *language = &fleet->languages[i];
        const struct metric_series series = METRIC_SERIES(metrics_language(language->name));
        metrics_set(METRIC_QUEUE_DEPTH, series, language->depth);
        metrics_set(METRIC_WORKERS, series, language->workers);
        metrics_set(METRIC_SLOTS, series, language->slots);
        metrics_set(METRIC_SLOTS_BUSY, series, language->busy);
    }
    metrics_set(METRIC_DEAD_LETTERS, METRIC_ONLY, fleet->dead_letters);
}

void
fleet_metrics_refresh(struct fleet_metrics *metrics)
{
    const struct queue_fleet *fleet = fleet_view(metrics->app);
    metrics_set(METRIC_REDIS_UP, METRIC_ONLY, queue_client_connected(metrics->app->queue));
    unset_all();
    if (fleet)
        set_fleet(fleet);
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
    if (fleet_watch(app, err) < 0)
        return -1;
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
