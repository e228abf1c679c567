#include "worker/isolation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

/* Often enough not to be noticed beside a zygote's boot. */
#define LOOK_PERIOD_US 5000
#define TEXT_SIZE      1024

struct isolation_watch {
    struct isolation_watch_options options;
    struct event *timer;
    bool known;             /* what the first zygote has; then it is: */
    bool told[LAYER_COUNT]; /* what its start could not have */
};

/* ---- what is required ---- */

static int
find_layer(const char *name, size_t length)
{
    for (int i = 0; i < LAYER_COUNT; i++) {
        const char *known = layer_row((enum layer)i)->name;
        if (strlen(known) == length && strncmp(known, name, length) == 0)
            return i;
    }
    return -1;
}

int
isolation_parse(struct isolation_requirement *required, const char *list, struct err *err)
{
    bool all = strcmp(list, "all") == 0 || strcmp(list, "1") == 0;

    for (int i = 0; i < LAYER_COUNT; i++)
        required->layers[i] = all;
    required->any = all;
    if (all || !*list || strcmp(list, "0") == 0)
        return 0;
    for (const char *at = list, *end = at; *end; at = end + 1) {
        size_t length = strcspn(at, ",");
        end = at + length;
        int layer = find_layer(at, length);
        if (layer < 0)
            return err_set(err, ERR_CONFIG, 0,
                           "REQUIRE_ISOLATION: \"%.*s\" is no layer; --check lists them",
                           (int)(length < 80 ? length : 80), at);
        required->layers[layer] = required->any = true;
    }
    return 0;
}

/* "name (why), ..." of those that are off and, when required is not NULL, required. */
static void
list_missing(const struct isolation_requirement *required, const struct layer_finding *findings,
             char *text, size_t size)
{
    size_t used = 0;

    *text = '\0';
    for (int i = 0; i < LAYER_COUNT; i++) {
        if (findings[i].state != LAYER_STATE_OFF || (required && !required->layers[i]))
            continue;
        int length = snprintf(text + used, size - used, "%s%s (%s)", used ? ", " : "",
                              layer_row((enum layer)i)->name, findings[i].why);
        if (length < 0 || (size_t)length >= size - used)
            return;
        used += (size_t)length;
    }
}

int
isolation_judge(const struct isolation_requirement *required,
                const struct layer_finding findings[LAYER_COUNT], struct err *err)
{
    char missing[TEXT_SIZE];

    list_missing(required, findings, missing, sizeof(missing));
    if (!*missing)
        return 0;
    return err_set(err, ERR_CONFIG, 0, "REQUIRE_ISOLATION is not met, see --check: %s", missing);
}

/* ---- looking, once ---- */

int
isolation_look(struct event_base *base, const struct executor *executor,
               struct layer_finding findings[LAYER_COUNT], struct err *err)
{
    struct executor_stats stats;

    for (executor_stats(executor, &stats); !stats.ready || stats.warm == 0;
         executor_stats(executor, &stats)) {
        if (stats.zygote_deaths > 0) {
            *err = stats.last_failure;
            return -1;
        }
        if (event_base_loop(base, EVLOOP_ONCE) < 0)
            return err_set(err, ERR_SYSTEM, 0, "the event loop failed");
    }
    return layers_look(stats.zygote_pid, stats.layer_reports, findings, err);
}

static void
log_missing(const struct isolation_watch *watch, const struct layer_finding *findings)
{
    char missing[TEXT_SIZE];

    list_missing(NULL, findings, missing, sizeof(missing));
    LOG(*missing ? LOG_WARNING : LOG_INFO, "isolation",
        {"language", LOG_STR(watch->options.language)},
        {"missing", LOG_STR(*missing ? missing : NULL)});
}

static void
tell(struct isolation_watch *watch, const struct err *err)
{
    watch->options.on_known(watch->options.context, err);
}

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
    struct isolation_watch *watch = context;
    struct layer_finding findings[LAYER_COUNT];
    struct executor_stats stats;
    struct err err = ERR_INIT;

    (void)fd;
    (void)what;
    watch->options.stats(watch->options.context, &stats);
    if (!stats.ready || stats.warm == 0)
        return;
    event_del(watch->timer);
    if (layers_look(stats.zygote_pid, stats.layer_reports, findings, &err) < 0) {
        tell(watch, &err);
        return;
    }
    log_missing(watch, findings);
    for (int i = 0; i < LAYER_COUNT; i++)
        watch->told[i] = stats.layer_reports[i].told;
    watch->known = true;
    tell(watch, isolation_judge(watch->options.required, findings, &err) < 0 ? &err : NULL);
}

int
isolation_watch_accept(struct isolation_watch *watch, const struct layer_report *reports,
                       struct err *err)
{
    struct layer_finding findings[LAYER_COUNT];
    bool lost = false;

    for (int i = 0; i < LAYER_COUNT; i++) {
        findings[i].state = LAYER_STATE_ON;
        if (!watch->known || watch->told[i] || !reports[i].told)
            continue;
        layer_explain(&reports[i], &findings[i]);
        lost = true;
    }
    if (isolation_judge(watch->options.required, findings, err) < 0)
        return -1;
    if (lost)
        log_missing(watch, findings);
    return 0;
}

struct isolation_watch *
isolation_watch_new(const struct isolation_watch_options *options, struct err *err)
{
    const struct timeval period = {.tv_usec = LOOK_PERIOD_US};
    struct isolation_watch *watch = calloc(1, sizeof(*watch));

    if (watch) {
        watch->options = *options;
        watch->timer = event_new(options->base, -1, EV_PERSIST, on_timer, watch);
    }
    if (!watch || !watch->timer || event_add(watch->timer, &period) < 0) {
        isolation_watch_free(watch);
        err_set(err, ERR_SYSTEM, ENOMEM, "watching the isolation");
        return NULL;
    }
    return watch;
}

void
isolation_watch_free(struct isolation_watch *watch)
{
    if (!watch)
        return;
    if (watch->timer)
        event_free(watch->timer);
    free(watch);
}
