#include "api/service.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "api/app.h"
#include "api/file_store.h"
#include "api/fleet_page.h"
#include "api/runs.h"
#include "api/server.h"
#include "common/clock.h"
#include "common/log.h"

#define REDIS_CONNECT_TIMEOUT_MS 2000
#define REDIS_COMMAND_TIMEOUT_MS 5000

#define CANCEL_TIME_US 100000
/* For the last answers, when the time for draining is over. */
#define LAST_WORDS_US  500000
/* How often it is looked whether Redis is there. */
#define QUEUE_LOOK_US  1000

struct service {
    struct app app;
    struct redis_url records_url;
    struct server *server;
    struct event *on_drain, *on_other, *on_hangup, *drain_timer, *queue_timer;
    struct service_options options;
    uint64_t wait_until_us; /* monotonic: for Redis, before clients are taken */
    bool stopping;          /* a signal has come */
    bool gave_up;           /* on requests that still waited: their jobs are being cancelled */
    struct err refusal;     /* how Redis is unfit */
};

/* A new process that took clients before it has Redis would refuse what another one would do. */
static void
on_queue_timer(evutil_socket_t fd, short events, void *context)
{
    struct service *service = context;
    const struct timeval delay = {.tv_usec = QUEUE_LOOK_US};
    (void)fd;
    (void)events;
    if (service->stopping)
        return;
    bool ready = queue_client_connected(service->app.queue) &&
                 (!service->app.files || service->app.files->claimed);
    if (!ready && clock_monotonic_us() < service->wait_until_us) {
        event_add(service->queue_timer, &delay);
        return;
    }
    server_begin(service->server);
    service->options.on_serving(service->options.context);
}

static void
end_loop(void *context)
{
    struct service *service = context;
    event_base_loopbreak(service->app.base);
}

static void
on_drain_timeout(evutil_socket_t fd, short events, void *context)
{
    struct service *service = context;
    const struct timeval delay = {.tv_usec = LAST_WORDS_US};
    (void)fd;
    (void)events;
    if (service->gave_up) {
        end_loop(service);
        return;
    }
    LOG(LOG_WARNING, "drain_timeout",
        {"message", LOG_STR("Requests still run; they are cancelled.")});
    service->gave_up = true;
    event_add(service->drain_timer, &delay);
    server_give_up(service->server);
}

static void
drain(struct service *service, int number)
{
    uint64_t ms = service->app.config->drain_timeout_ms;
    const struct timeval delay = {.tv_sec = (time_t)(ms / 1000),
                                  .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    service->stopping = true;
    LOG(LOG_INFO, "stopping", {"signal", LOG_INT(number)},
        {"in_flight", LOG_UINT(queue_client_in_flight(service->app.queue))});
    event_add(service->drain_timer, &delay);
    server_drain(service->server, end_loop, service);
}

static void
on_signal(evutil_socket_t number, short events, void *context)
{
    struct service *service = context;
    bool at_once = service->options.supervised ? number == SIGQUIT : service->stopping;
    (void)events;
    if (at_once)
        end_loop(service);
    else if (!service->stopping)
        drain(service, (int)number);
}

static int
watch_signals(struct service *service, struct err *err)
{
    struct event_base *base = service->app.base;
    service->on_drain = evsignal_new(base, SIGTERM, on_signal, service);
    service->on_other =
        evsignal_new(base, service->options.supervised ? SIGQUIT : SIGINT, on_signal, service);
    if (!service->options.supervised)
        service->on_hangup = evsignal_new(base, SIGHUP, on_signal, service);
    service->drain_timer = evtimer_new(base, on_drain_timeout, service);
    service->queue_timer = evtimer_new(base, on_queue_timer, service);
    if (!service->on_drain || !service->on_other || !service->drain_timer ||
        !service->queue_timer || event_add(service->on_drain, NULL) < 0 ||
        event_add(service->on_other, NULL) < 0 ||
        (service->on_hangup && event_add(service->on_hangup, NULL) < 0))
        return err_set(err, ERR_SYSTEM, 0, "signals cannot be watched");
    return 0;
}

static void
on_unfit(void *context, const struct err *err)
{
    struct service *service = context;
    service->refusal = *err;
    end_loop(service);
}

/* Not the queue's connection: what is slow there must not hold up a submission. */
static void
on_records_up(void *context)
{
    struct service *service = context;
    if (service->app.files)
        file_store_on_up(service->app.files);
}

static int
open_records(struct service *service, struct err *err)
{
    const struct redis_options options = {.url = &service->records_url,
                                          .name = "records",
                                          .connect_timeout_ms = REDIS_CONNECT_TIMEOUT_MS,
                                          .command_timeout_ms = REDIS_COMMAND_TIMEOUT_MS,
                                          .on_up = on_records_up,
                                          .context = service};
    if (redis_url_parse(&service->records_url, service->app.config->redis_url, err) < 0)
        return -1;
    service->app.records = redis_connection_new(service->app.base, &options, err);
    if (!service->app.records)
        return -1;
    if (service->app.files)
        file_store_connect(service->app.files, service->app.records);
    service->app.runs = runs_new(&service->app, err);
    return service->app.runs ? 0 : -1;
}

/* Before the loop turns: it blocks on the disk. */
static int
open_files(struct service *service, int listen_fd, struct err *err)
{
    struct app *app = &service->app;
    const struct file_store_options options = {.config = app->config,
                                               .base = app->base,
                                               .listen_fd = listen_fd,
                                               .on_foreign = on_unfit,
                                               .context = service};
    if (!app->config->storage_dir[0])
        return 0;
    app->files = file_store_new(&options, err);
    return app->files ? 0 : -1;
}

static int
start(struct service *service, int listen_fd, struct err *err)
{
    struct app *app = &service->app;
    const struct queue_options options = {
        .redis_url = app->config->redis_url,
        .prefix = app->config->redis_prefix,
        .connect_timeout_ms = REDIS_CONNECT_TIMEOUT_MS,
        .command_timeout_ms = REDIS_COMMAND_TIMEOUT_MS,
        /* And one more while one is replaced. */
        .siblings = app->config->api_processes > 1 ? (uint32_t)app->config->api_processes : 0,
        .others = 1, /* the records' */
        .on_unfit = on_unfit,
        .context = service};
    app->base = event_base_new();
    if (!app->base) {
        close(listen_fd);
        return err_set(err, ERR_SYSTEM, 0, "no event loop can be made");
    }
    service->server = server_new(app, listen_fd, err);
    if (!service->server)
        return -1;
    app->queue = queue_client_new(app->base, &options, (uint32_t)app->config->max_in_flight, err);
    usage_init(&app->usage);
    fleet_page_init(&app->fleet_workers);
    gate_init(&app->gate, service->options.keys, service->options.loopback);
    if (service->options.keys && key_store_watch(service->options.keys, app->base, err) < 0)
        return -1;
    if (!app->queue || open_files(service, listen_fd, err) < 0 || open_records(service, err) < 0 ||
        fleet_metrics_start(&app->fleet_metrics, app, err) < 0)
        return -1;
    return watch_signals(service, err);
}

struct service *
service_new(const struct service_options *options, struct err *err)
{
    struct service *service = calloc(1, sizeof(*service));
    if (!service) {
        close(options->listen_fd);
        err_set(err, ERR_SYSTEM, 0, "no memory for the service");
        return NULL;
    }
    service->app.config = options->config;
    service->app.languages = *options->languages;
    service->app.patterns = options->patterns;
    service->options = *options;
    if (start(service, options->listen_fd, err) == 0)
        return service;
    service_free(service);
    return NULL;
}

int
service_run(struct service *service, struct err *err)
{
    service->wait_until_us = clock_monotonic_us() + SERVICE_QUEUE_WAIT_MS * 1000;
    event_active(service->queue_timer, EV_TIMEOUT, 1);
    event_base_dispatch(service->app.base);
    LOG(LOG_INFO, "stopped", {"in_flight", LOG_UINT(queue_client_in_flight(service->app.queue))});
    if (service->refusal.code == ERR_NONE)
        return 0;
    *err = service->refusal;
    return -1;
}

/*
 * Connections that are closed with a job running cancel it; that is a command to Redis, which
 * leaves only while the loop turns.
 */
static void
close_connections(struct service *service)
{
    const struct timeval limit = {.tv_usec = CANCEL_TIME_US};
    bool any =
        service->gave_up || (service->app.queue && queue_client_in_flight(service->app.queue) > 0);
    server_free(service->server);
    probe_fini(&service->app.probe);
    if (any && event_base_loopexit(service->app.base, &limit) == 0)
        event_base_dispatch(service->app.base);
}

void
service_free(struct service *service)
{
    if (!service)
        return;
    struct event *const events[] = {service->on_drain, service->on_other, service->on_hangup,
                                    service->drain_timer, service->queue_timer};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (events[i])
            event_free(events[i]);
    }
    close_connections(service);
    fleet_metrics_stop(&service->app.fleet_metrics);
    if (service->app.queue)
        queue_client_free(service->app.queue);
    redis_connection_free(service->app.records);
    gate_fini(&service->app.gate);
    usage_fini(&service->app.usage);
    redis_script_fini(&service->app.fleet_workers);
    key_store_unwatch(service->options.keys);
    runs_free(service->app.runs);
    file_store_free(service->app.files);
    redis_url_fini(&service->records_url);
    if (service->app.base)
        event_base_free(service->app.base);
    free(service);
}
