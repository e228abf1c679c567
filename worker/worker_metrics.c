#include "worker/worker_metrics.h"

#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "common/metrics.h"
#include "worker/metrics_server.h"

void
worker_metrics_job(const char *language, const struct result *result)
{
    unsigned number = metrics_language(language);

    metrics_add(METRIC_WORKER_JOBS,
                METRIC_SERIES(number, metrics_outcome(result->error, result->verdict)), 1);
    if (result->error == ERR_NONE)
        metrics_observe_us(METRIC_WORKER_EXECUTION, METRIC_SERIES(number), result->exec_us);
}

void
worker_metrics_finished(const struct err *err)
{
    if (err && err->code == ERR_REJECTED)
        metrics_add(METRIC_WORKER_RESULTS_REFUSED, METRIC_ONLY, 1);
}

static void
refresh_language(struct worker_metrics *metrics, size_t language)
{
    struct executor_stats stats;
    unsigned number = (unsigned)language;

    scheduler_stats(metrics->scheduler, language, &stats);
    metrics_set(METRIC_WORKER_SLOTS, METRIC_SERIES(number),
                metrics->languages->list[language].slots);
    metrics_set(METRIC_WORKER_SLOTS_BUSY, METRIC_SERIES(number), stats.running);
    metrics_add(METRIC_WORKER_ZYGOTE_RESTARTS, METRIC_SERIES(number, METRIC_DIED),
                stats.zygote_deaths - metrics->seen[language].deaths);
    metrics_add(METRIC_WORKER_ZYGOTE_RESTARTS, METRIC_SERIES(number, METRIC_PLANNED),
                stats.zygotes_replaced - metrics->seen[language].replaced);
    metrics->seen[language].deaths = stats.zygote_deaths;
    metrics->seen[language].replaced = stats.zygotes_replaced;
}

static void
refresh(void *context)
{
    struct worker_metrics *metrics = context;

    for (size_t i = 0; i < metrics->languages->count; i++)
        refresh_language(metrics, i);
    metrics_set(METRIC_WORKER_REDIS_UP, METRIC_ONLY, queue_worker_connected(metrics->queue));
    metrics_note_process();
}

/* The loop turns, or nobody would ask; and some zygote is ready. */
static bool
is_healthy(void *context, char *sentence, size_t size)
{
    const struct worker_metrics *metrics = context;
    struct executor_stats stats;

    for (size_t i = 0; i < metrics->languages->count; i++) {
        scheduler_stats(metrics->scheduler, i, &stats);
        if (stats.ready)
            return true;
    }
    scheduler_stats(metrics->scheduler, 0, &stats);
    (void)snprintf(sentence, size, "No zygote is ready. %s", stats.last_failure.text);
    return false;
}

int
worker_metrics_open(struct worker_metrics *metrics, const struct config *config,
                    const struct languages *languages, struct err *err)
{
    const struct metrics_options options = {.programs = METRICS_WORKER, .languages = languages};
    unsigned port = (unsigned)config->metrics_port;

    metrics->languages = languages;
    if (port == 0)
        return 0;
    metrics->fd = metrics_server_listen(config->metrics_host, port, err);
    if (metrics->fd < 0 || metrics_init(&options, err) < 0)
        return -1;
    LOG(LOG_INFO, "metrics", {"host", LOG_STR(config->metrics_host)}, {"port", LOG_UINT(port)});
    return 0;
}

int
worker_metrics_start(struct worker_metrics *metrics, struct event_base *base,
                     const struct scheduler *scheduler, const struct queue_worker *queue,
                     struct err *err)
{
    const struct metrics_server_hooks hooks = {
        .refresh = refresh, .healthy = is_healthy, .context = metrics};
    int fd = metrics->fd;

    if (fd < 0)
        return 0;
    metrics->scheduler = scheduler;
    metrics->queue = queue;
    metrics->fd = -1;
    metrics->server = metrics_server_new(base, fd, &hooks, err);
    return metrics->server ? 0 : -1;
}

void
worker_metrics_fini(struct worker_metrics *metrics)
{
    metrics_server_free(metrics->server);
    metrics->server = NULL;
    if (metrics->fd >= 0)
        (void)close(metrics->fd);
    metrics->fd = -1;
}
