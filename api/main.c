/*
 * retort-api: wiring only. Settings, log, loop, queue, server; SIGTERM and SIGINT stop accepting,
 * let running requests be answered for at most DRAIN_TIMEOUT_MS, and end with 0; a second one ends
 * at once and cancels them. A bad setting ends
 * it with 2, anything else that keeps it from starting with 1.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <event2/event.h>

#include "api/app.h"
#include "api/request_metrics.h"
#include "api/server.h"
#include "common/daemon_filter.h"
#include "common/log.h"
#include "common/version.h"

#define REDIS_CONNECT_TIMEOUT_MS 2000
#define REDIS_COMMAND_TIMEOUT_MS 5000

#define EXIT_BAD_SETTING 2
#define CANCEL_TIME_US   100000

struct program {
    struct app app;
    struct server *server;
    struct event *on_term, *on_int, *drain_timer;
    bool stopping;      /* a signal has come; the next one ends at once */
    struct err refusal; /* how Redis is unfit */
};

static bool
wants(int argc, char **argv, const char *flag)
{
    return argc > 1 && strcmp(argv[1], flag) == 0;
}

static void
print_help(void)
{
    printf("Usage: retort-api [--NAME VALUE]...\n\n"
           "The HTTP front end of Retort. Each setting is a flag or an environment variable:\n\n");
    config_print_help(CONFIG_API, stdout);
}

static int
load_config(struct app *app, struct config *config, int argc, char **argv, struct err *err)
{
    int index = 1;
    enum log_level level;
    if (config_init(config, CONFIG_API, err) < 0 ||
        config_parse_flags(config, CONFIG_API, argc, argv, &index, err) < 0 ||
        languages_parse(&app->languages, config->languages, err) < 0 ||
        log_level_from_name(config->log_level, &level, err) < 0)
        return -1;
    if (index < argc)
        return err_set(err, ERR_CONFIG, 0, "\"%s\" is not a flag; --help lists them.", argv[index]);
    log_init("retort-api", level);
    return 0;
}

/* Every connection is a descriptor; the usual soft limit of 1,024 is for programs with select(). */
static void
raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void
on_drained(void *context)
{
    struct program *program = context;
    event_base_loopbreak(program->app.base);
}

static void
on_drain_timeout(evutil_socket_t fd, short events, void *context)
{
    (void)fd;
    (void)events;
    LOG(LOG_WARNING, "drain_timeout",
        {"message", LOG_STR("Requests still run; they are cancelled.")});
    on_drained(context);
}

static void
on_signal(evutil_socket_t number, short events, void *context)
{
    struct program *program = context;
    uint64_t ms = program->app.config->drain_timeout_ms;
    const struct timeval delay = {.tv_sec = (time_t)(ms / 1000),
                                  .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    (void)events;
    if (program->stopping) {
        on_drained(program);
        return;
    }
    program->stopping = true;
    LOG(LOG_INFO, "stopping", {"signal", LOG_INT(number)},
        {"in_flight", LOG_UINT(queue_client_in_flight(program->app.queue))});
    event_add(program->drain_timer, &delay);
    server_drain(program->server, on_drained, program);
}

/* Redis cannot carry the queue. */
static void
on_unfit(void *context, const struct err *err)
{
    struct program *program = context;
    program->refusal = *err;
    event_base_loopbreak(program->app.base);
}

static int
start(struct program *program, struct err *err)
{
    struct app *app = &program->app;
    const struct queue_options options = {.redis_url = app->config->redis_url,
                                          .prefix = app->config->redis_prefix,
                                          .connect_timeout_ms = REDIS_CONNECT_TIMEOUT_MS,
                                          .command_timeout_ms = REDIS_COMMAND_TIMEOUT_MS,
                                          .on_unfit = on_unfit,
                                          .context = program};
    if (request_metrics_init(&app->languages, err) < 0)
        return -1;
    app->base = event_base_new();
    if (!app->base)
        return err_set(err, ERR_SYSTEM, 0, "no event loop can be made");
    app->queue = queue_client_new(app->base, &options, (uint32_t)app->config->max_in_flight, err);
    if (!app->queue)
        return -1;
    program->server = server_new(app, err);
    if (!program->server || fleet_metrics_start(&app->fleet_metrics, app, err) < 0)
        return -1;
    program->on_term = evsignal_new(app->base, SIGTERM, on_signal, program);
    program->on_int = evsignal_new(app->base, SIGINT, on_signal, program);
    program->drain_timer = evtimer_new(app->base, on_drain_timeout, program);
    if (!program->on_term || !program->on_int || !program->drain_timer ||
        event_add(program->on_term, NULL) < 0 || event_add(program->on_int, NULL) < 0)
        return err_set(err, ERR_SYSTEM, 0, "signals cannot be watched");
    return 0;
}

/*
 * Before the loop turns, and so before anything is read that others sent; after the address is
 * found, for which the C library may load anything. Where there is no seccomp it serves without.
 */
static void
lock_down(void)
{
    struct err refused = ERR_INIT;

    if (daemon_lock_down(DAEMON_API, &refused) < 0)
        log_err(LOG_WARNING, "no_filter", &refused);
}

/*
 * Connections that are closed with a job running cancel it; that is a command to Redis, which
 * leaves only while the loop turns.
 */
static void
close_connections(struct program *program)
{
    const struct timeval limit = {.tv_usec = CANCEL_TIME_US};
    bool any = program->app.queue && queue_client_in_flight(program->app.queue) > 0;
    server_free(program->server);
    probe_fini(&program->app.probe);
    if (any && event_base_loopexit(program->app.base, &limit) == 0)
        event_base_dispatch(program->app.base);
}

static void
stop(struct program *program)
{
    struct event *const events[] = {program->on_term, program->on_int, program->drain_timer};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (events[i])
            event_free(events[i]);
    }
    close_connections(program);
    fleet_metrics_stop(&program->app.fleet_metrics);
    if (program->app.queue)
        queue_client_free(program->app.queue);
    if (program->app.base)
        event_base_free(program->app.base);
}

int
main(int argc, char **argv)
{
    if (wants(argc, argv, "--help") || wants(argc, argv, "-h")) {
        print_help();
        return 0;
    }
    if (wants(argc, argv, "--version")) {
        puts("retort-api " RETORT_VERSION);
        return 0;
    }
    struct err err = ERR_INIT;
    struct config config = {0};
    struct program program = {.app = {.config = &config}};
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    int status = EXIT_SUCCESS;
    if (load_config(&program.app, &config, argc, argv, &err) == 0 && start(&program, &err) == 0) {
        lock_down();
        LOG(LOG_INFO, "listening", {"host", LOG_STR(server_host(program.server))},
            {"port", LOG_UINT(server_port(program.server))}, {"version", LOG_STR(RETORT_VERSION)});
        event_base_dispatch(program.app.base);
        LOG(LOG_INFO, "stopped",
            {"in_flight", LOG_UINT(queue_client_in_flight(program.app.queue))});
        err = program.refusal;
    }
    if (err.code != ERR_NONE) {
        fprintf(stderr, "retort-api: %s\n", err.text);
        status = err.code == ERR_CONFIG ? EXIT_BAD_SETTING : EXIT_FAILURE;
    }
    stop(&program);
    config_fini(&config);
    return status;
}
