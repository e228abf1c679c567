/*
 * retort-worker: takes jobs from the queue and runs them. The table of contents of the program:
 *
 *     settings ─▶ engine_choice (which zygotes) ─▶ scheduler (slots, executors) ─▶ queue (Redis)
 *
 * Before the first job of a language is taken, a job process of its zygote is looked at from
 * outside: what isolation it lacks is logged, and what REQUIRE_ISOLATION names and it lacks ends
 * the worker.
 *
 * One thread, one event base. SIGTERM or SIGINT: no more jobs, those that run may end within
 * DRAIN_TIMEOUT_MS; a second one ends at once. The zygotes end with the worker in any case.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/config.h"
#include "common/descriptors.h"
#include "common/log.h"
#include "common/queue.h"
#include "common/version.h"
#include "worker/check.h"
#include "worker/engine_choice.h"
#include "worker/identity.h"
#include "worker/isolation.h"
#include "worker/loop.h"
#include "worker/scheduler.h"
#include "worker/worker_metrics.h"

#define QUEUE_TIMEOUT_MS 5000
/* A pop that blocks ends within 2 s even if Redis cannot be told to end it. */
#define QUEUE_DRAIN_MS   2500

struct worker;

/* A language's zygote is looked at before jobs of it are taken. */
struct look {
    struct worker *worker;
    struct isolation_watch *watch;
};

struct worker {
    struct config config;
    char id[JOB_WORKER_SIZE];
    struct engines engines;
    struct look looks[LANGUAGES_MOST]; /* as the engines */
    struct cgroup_tree cgroups;
    struct event_base *base;
    struct event *signals[2];
    struct scheduler *scheduler;
    struct queue_worker *queue;
    struct worker_metrics metrics;
    struct isolation_requirement required;
    struct err refusal; /* what is missing that is required; how Redis is unfit */
    int second_signal;  /* 0: none came */
    bool draining;
};

static void
print_help(void)
{
    printf("retort-worker: takes jobs from the queue and runs them in sealed processes.\n\n"
           "usage: retort-worker [--NAME=VALUE]...\n\n"
           "  --check    print which layers of isolation are in force, and exit\n"
           "  --help     print this\n"
           "  --version  print the version\n\n"
           "Settings, as flags or in the environment:\n\n");
    config_print_help(CONFIG_WORKER, stdout);
}

/* Takes option out of argv. */
static bool
take_option(int *argc, char **argv, const char *option)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], option) == 0) {
            memmove(&argv[i], &argv[i + 1], sizeof(*argv) * (size_t)(*argc - i));
            --*argc;
            return true;
        }
    }
    return false;
}

static int
load_config(struct config *config, int argc, char **argv, struct err *err)
{
    struct languages languages;
    enum log_level level;
    int index = 1;

    if (config_init(config, CONFIG_WORKER, err) < 0 ||
        config_parse_flags(config, CONFIG_WORKER, argc, argv, &index, err) < 0)
        return -1;
    if (index < argc)
        return err_set(err, ERR_CONFIG, 0, "%.80s: the worker takes only options", argv[index]);
    if (languages_parse(&languages, config->languages, err) < 0 ||
        log_level_from_name(config->log_level, &level, err) < 0)
        return -1;
    log_init("retort-worker", level);
    return 0;
}

/* Those that it was given in LANGUAGES, or SLOTS, or the processors that this process may use. */
static uint32_t
slot_count(const struct config *config, const struct language *language)
{
    cpu_set_t set;

    if (language->slots > 0)
        return language->slots;
    if (config->slots > 0)
        return (uint32_t)config->slots;
    if (sched_getaffinity(0, sizeof(set), &set) < 0 || CPU_COUNT(&set) < 1)
        return 1;
    return (uint32_t)CPU_COUNT(&set);
}

static void
on_queue_drained(void *context)
{
    struct worker *worker = context;

    (void)event_base_loopbreak(worker->base);
}

/* A job may still be on its way from the queue: it must go back before the connections close. */
static void
on_drained(void *context)
{
    struct worker *worker = context;

    if (worker->queue)
        queue_worker_drain(worker->queue, QUEUE_DRAIN_MS, on_queue_drained, worker);
    else
        on_queue_drained(worker);
}

static void
drain(void *context)
{
    struct worker *worker = context;

    if (worker->draining)
        return;
    worker->draining = true;
    scheduler_drain(worker->scheduler, (uint32_t)worker->config.drain_timeout_ms, on_drained,
                    worker);
}

static void
on_drain_wish(void *context)
{
    LOG(LOG_INFO, "drain", {"reason", LOG_STR("asked for through the queue")});
    drain(context);
}

static void
on_signal(evutil_socket_t number, short events, void *context)
{
    struct worker *worker = context;

    (void)events;
    LOG(LOG_INFO, "signal", {"number", LOG_INT(number)},
        {"busy", LOG_UINT(scheduler_busy(worker->scheduler))});
    if (worker->draining) {
        worker->second_signal = (int)number;
        (void)event_base_loopbreak(worker->base);
        return;
    }
    drain(worker);
}

static int
start_signals(struct worker *worker, struct err *err)
{
    static const int numbers[] = {SIGTERM, SIGINT};

    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < 2; i++) {
        worker->signals[i] = evsignal_new(worker->base, numbers[i], on_signal, worker);
        if (!worker->signals[i] || event_add(worker->signals[i], NULL) < 0)
            return err_set(err, ERR_SYSTEM, ENOMEM, "watching for signals");
    }
    return 0;
}

/* The first one is looked at when it has a process that waits. */
static int
accept_zygote(void *context, size_t language, const struct layer_report *reports, struct err *err)
{
    const struct worker *worker = context;
    struct isolation_watch *watch = worker->looks[language].watch;

    return watch ? isolation_watch_accept(watch, reports, err) : 0;
}

/* The scheduler's languages, in the order of the engines. */
static void
list_languages(const struct worker *worker, struct scheduler_language *languages)
{
    for (size_t i = 0; i < worker->engines.languages.count; i++) {
        const struct language *language = &worker->engines.languages.list[i];
        languages[i] = (struct scheduler_language){
            .name = language->name,
            .command = &worker->engines.list[i].command,
            .slots = language->slots,
            .no_files = worker->engines.list[i].cli,
        };
    }
}

static int
start_scheduler(struct worker *worker, struct err *err)
{
    const struct config *config = &worker->config;
    struct scheduler_language languages[LANGUAGES_MOST];
    struct scheduler_options options = {
        .base = worker->base,
        .worker_id = worker->id,
        .zygote_max_age_ms = config->zygote_max_age_sec * 1000,
        .zygote_max_jobs = config->zygote_max_jobs,
        .accept = accept_zygote,
        .on_drain_wish = on_drain_wish,
        .context = worker,
        .cgroups = &worker->cgroups,
        .maxima = {.code_bytes = config->max_code_bytes,
                   .input_bytes = config->max_stdin_bytes,
                   .files = config->max_files,
                   .files_bytes = config->max_files_bytes,
                   .limits = config_job_limits(config)},
        .languages = languages,
        .language_count = worker->engines.languages.count,
    };

    /* Times differ between the API's surfaces and are its to set. A job is one thread, so that
     * the wall clock bounds its CPU time. */
    options.maxima.limits.timeout_ms = (uint32_t)config->max_job_timeout_ms;
    options.maxima.limits.cpu_ms = UINT32_MAX;
    list_languages(worker, languages);
    worker->scheduler = scheduler_new(&options, err);
    return worker->scheduler ? 0 : -1;
}

/* Redis cannot carry the queue: nothing was taken yet. */
static void
on_unfit(void *context, const struct err *err)
{
    struct worker *worker = context;

    worker->refusal = *err;
    (void)event_base_loopbreak(worker->base);
}

static int
start_queue(struct worker *worker, struct err *err)
{
    const struct queue_options options = {
        .redis_url = worker->config.redis_url,
        .prefix = worker->config.redis_prefix,
        .connect_timeout_ms = QUEUE_TIMEOUT_MS,
        .command_timeout_ms = QUEUE_TIMEOUT_MS,
        .on_unfit = on_unfit,
        .context = worker,
    };
    const struct queue_worker_hooks hooks = scheduler_queue_hooks(worker->scheduler);

    worker->queue = queue_worker_new(worker->base, &options, worker->id,
                                     scheduler_languages(worker->scheduler), &hooks, err);
    if (!worker->queue)
        return -1;
    return 0;
}

static void
zygote_stats(void *context, struct executor_stats *stats)
{
    const struct look *look = context;

    scheduler_stats(look->worker->scheduler, (size_t)(look - look->worker->looks), stats);
}

/* Only now jobs are taken: the scheduler has no capacity without a queue. */
static void
on_isolation_known(void *context, const struct err *err)
{
    struct look *look = context;
    struct worker *worker = look->worker;

    if (!err) {
        scheduler_set_queue(worker->scheduler, (size_t)(look - worker->looks), worker->queue);
        return;
    }
    worker->refusal = *err;
    (void)event_base_loopbreak(worker->base);
}

static int
start_looks(struct worker *worker, struct err *err)
{
    for (size_t i = 0; i < worker->engines.languages.count; i++) {
        struct look *look = &worker->looks[i];
        const struct isolation_watch_options options = {.base = worker->base,
                                                        .required = &worker->required,
                                                        .language =
                                                            worker->engines.languages.list[i].name,
                                                        .stats = zygote_stats,
                                                        .on_known = on_isolation_known,
                                                        .context = look};

        look->worker = worker;
        look->watch = isolation_watch_new(&options, err);
        if (!look->watch)
            return -1;
    }
    return 0;
}

/* Every language with its slots from here on. */
static void
settle_slots(struct worker *worker)
{
    struct languages *languages = &worker->engines.languages;

    for (size_t i = 0; i < languages->count; i++)
        languages->list[i].slots = slot_count(&worker->config, &languages->list[i]);
}

static void
log_engines(const struct worker *worker)
{
    for (size_t i = 0; i < worker->engines.languages.count; i++) {
        const struct engine_choice *engine = &worker->engines.list[i];
        LOG(LOG_INFO, "engine", {"language", LOG_STR(engine->language)},
            {"slots", LOG_UINT(worker->engines.languages.list[i].slots)},
            {"engine", LOG_STR(engine->cli ? "cli" : "image")},
            {"source", LOG_STR(engine->source)});
    }
}

static int
start(struct worker *worker, struct err *err)
{
    if (worker_identity(worker->id, worker->config.worker_id, err) < 0 ||
        isolation_parse(&worker->required, worker->config.require_isolation, err) < 0 ||
        engines_choose(&worker->engines, &worker->config, err) < 0)
        return -1;
    settle_slots(worker);
    if (worker_metrics_open(&worker->metrics, &worker->config, &worker->engines.languages, err) < 0)
        return -1;
    engine_lock_down(worker->engines.list, worker->engines.languages.count);
    /* Each waiting job process takes three here. */
    (void)descriptors_raise_limit();
    cgroup_tree_open(&worker->cgroups);
    worker->base = loop_new();
    if (!worker->base)
        return err_set(err, ERR_SYSTEM, ENOMEM, "making the event loop");
    if (start_signals(worker, err) < 0 || start_scheduler(worker, err) < 0 ||
        start_queue(worker, err) < 0 || start_looks(worker, err) < 0 ||
        worker_metrics_start(&worker->metrics, worker->base, worker->scheduler, worker->queue,
                             err) < 0)
        return -1;
    LOG(LOG_INFO, "started", {"worker", LOG_STR(worker->id)}, {"version", LOG_STR(RETORT_VERSION)},
        {"sandbox_uid", LOG_UINT(geteuid() == 0 ? worker->config.sandbox_uid : geteuid())});
    log_engines(worker);
    return 0;
}

/* In the order that lets nothing call back into what is gone. */
static void
fini(struct worker *worker)
{
    worker_metrics_fini(&worker->metrics);
    for (size_t i = 0; i < LANGUAGES_MOST; i++)
        isolation_watch_free(worker->looks[i].watch);
    scheduler_free(worker->scheduler);
    if (worker->queue)
        queue_worker_free(worker->queue);
    for (size_t i = 0; i < 2; i++) {
        if (worker->signals[i])
            event_free(worker->signals[i]);
    }
    cgroup_tree_close(&worker->cgroups);
    engines_fini(&worker->engines);
    if (worker->base)
        event_base_free(worker->base);
    config_fini(&worker->config);
}

static int
run(struct worker *worker, struct err *err)
{
    if (start(worker, err) < 0)
        return -1;
    if (event_base_dispatch(worker->base) < 0)
        return err_set(err, ERR_SYSTEM, 0, "the event loop failed");
    if (worker->refusal.code != ERR_NONE) {
        *err = worker->refusal;
        return -1;
    }
    LOG(LOG_INFO, "stopped", {"worker", LOG_STR(worker->id)},
        {"busy", LOG_UINT(scheduler_busy(worker->scheduler))});
    return worker->second_signal ? 128 + worker->second_signal : 0;
}

int
main(int argc, char **argv)
{
    struct worker worker = {.cgroups = {.fd = -1}, .metrics = WORKER_METRICS_INIT};
    struct err err = ERR_INIT;

    if (take_option(&argc, argv, "--help")) {
        print_help();
        return 0;
    }
    if (take_option(&argc, argv, "--version")) {
        puts("retort-worker " RETORT_VERSION);
        return 0;
    }
    bool check = take_option(&argc, argv, "--check");
    if (load_config(&worker.config, argc, argv, &err) < 0) {
        fprintf(stderr, "retort-worker: %s\n", err.text);
        config_fini(&worker.config);
        return 2;
    }
    int status = check ? check_print(&worker.config, stdout, &err) : run(&worker, &err);
    if (status < 0) {
        if (check)
            fprintf(stderr, "retort-worker: %s\n", err.text);
        else
            log_err(LOG_ERROR, "failed", &err);
        status = 1;
    }
    fini(&worker);
    return status;
}
