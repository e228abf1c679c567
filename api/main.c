/*
 * retort-api: wiring only. Settings, log, socket; then one service, or a supervisor of several.
 * SIGTERM and SIGINT stop accepting, let running requests be answered for at most DRAIN_TIMEOUT_MS,
 * and end with 0 (so does SIGHUP, which of several processes replaces all); a second one ends at
 * once and cancels them. A bad setting ends it with 2, anything else that keeps it from starting
 * with 1.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cors.h"
#include "api/key_store.h"
#include "api/limits.h"
#include "api/listen_socket.h"
#include "api/request_metrics.h"
#include "api/service.h"
#include "api/supervisor.h"
#include "common/daemon_filter.h"
#include "common/log.h"
#include "common/version.h"

#define EXIT_BAD_SETTING 2

struct program {
    struct config config;
    struct languages languages;
    struct code_patterns patterns;
    struct key_store *keys; /* NULL: none are wanted */
    struct listen_socket socket;
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
load_config(struct program *program, int argc, char **argv, struct err *err)
{
    struct config *config = &program->config;
    int index = 1;
    enum log_level level;
    if (config_init(config, CONFIG_API, err) < 0 ||
        config_parse_flags(config, CONFIG_API, argc, argv, &index, err) < 0 ||
        languages_parse(&program->languages, config->languages, err) < 0 ||
        code_patterns_load(&program->patterns, config->execute_patterns_file, err) < 0 ||
        log_level_from_name(config->log_level, &level, err) < 0)
        return -1;
    if (index < argc)
        return err_set(err, ERR_CONFIG, 0, "\"%s\" is not a flag; --help lists them.", argv[index]);
    log_init("retort-api", level);
    return 0;
}

/*
 * Before anything is read that others sent; after the address is found, for which the C library may
 * load anything. Where there is no seccomp it serves without.
 */
static void
lock_down(unsigned programs)
{
    struct err refused = ERR_INIT;

    if (daemon_lock_down(programs, &refused) < 0)
        log_err(LOG_WARNING, "no_filter", &refused);
}

static void
log_listening(void *context)
{
    const struct program *program = context;

    LOG(LOG_INFO, "listening", {"host", LOG_STR(program->socket.host)},
        {"port", LOG_UINT(program->socket.port)},
        {"processes", LOG_UINT(program->config.api_processes)},
        {"version", LOG_STR(RETORT_VERSION)});
}

/* What all serving processes have in common. */
static struct service_options
service_options_of(const struct program *program)
{
    return (struct service_options){.config = &program->config,
                                    .languages = &program->languages,
                                    .patterns = &program->patterns,
                                    .keys = program->keys,
                                    .loopback = program->socket.loopback,
                                    .listen_fd = program->socket.fd};
}

/* ---- one process, which serves ---- */

static int
serve_alone(struct program *program, struct err *err)
{
    struct service_options options = service_options_of(program);

    options.on_serving = log_listening;
    options.context = program;
    struct service *service = service_new(&options, err);

    if (!service)
        return -1;
    lock_down(DAEMON_API);
    int result = service_run(service, err);
    service_free(service);
    return result;
}

/* ---- one of several, and their parent ---- */

static void
report_serving(void *report)
{
    supervisor_report_serving(report);
}

static int
serve_among_others(void *context, unsigned slot, struct supervisor_report *report, struct err *err)
{
    struct program *program = context;
    struct service_options options = service_options_of(program);
    int result = -1;

    options.supervised = true;
    options.on_serving = report_serving;
    options.context = report;
    metrics_use_slot(slot);
    struct service *service = service_new(&options, err);
    if (service) {
        lock_down(DAEMON_API);
        result = service_run(service, err);
        service_free(service);
    }
    key_store_free(program->keys);
    config_fini(&program->config);
    return result;
}

static void
on_ended(void *context, unsigned slot)
{
    (void)context;
    metrics_reset_slot(slot);
}

static int
supervise(struct program *program, struct err *err)
{
    const struct supervisor_options options = {.processes = (unsigned)program->config.api_processes,
                                               .listen_fd = program->socket.fd,
                                               .drain_timeout_ms = program->config.drain_timeout_ms,
                                               .serve = serve_among_others,
                                               .on_all_serving = log_listening,
                                               .on_ended = on_ended,
                                               .context = program};

    lock_down(DAEMON_API | DAEMON_SUPERVISOR);
    return supervisor_run(&options, err);
}

static int
read_keys(struct program *program, struct err *err)
{
    if (!key_store_wanted(&program->config))
        return 0;
    program->keys = key_store_new(&program->config, err);
    return program->keys ? 0 : -1;
}

static int
run(struct program *program, int argc, char **argv, struct err *err)
{
    if (load_config(program, argc, argv, err) < 0 ||
        limits_check_descriptors(&program->config, err) < 0 ||
        limits_check_bodies(&program->config, err) < 0 ||
        cors_check(program->config.cors_origins, err) < 0 || read_keys(program, err) < 0 ||
        listen_socket_open(&program->socket, &program->config, err) < 0 ||
        request_metrics_init(&program->languages, err) < 0)
        return -1;
    return program->config.api_processes > 1 ? supervise(program, err) : serve_alone(program, err);
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
    struct program program = {.socket = {.fd = -1}};
    int status = EXIT_SUCCESS;

    signal(SIGPIPE, SIG_IGN);
    if (run(&program, argc, argv, &err) < 0) {
        fprintf(stderr, "retort-api: %s\n", err.text);
        status = err.code == ERR_CONFIG ? EXIT_BAD_SETTING : EXIT_FAILURE;
    }
    code_patterns_fini(&program.patterns);
    key_store_free(program.keys);
    config_fini(&program.config);
    return status;
}
