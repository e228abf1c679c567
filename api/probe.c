#include "api/probe.h"

#include <stdio.h>

#include "api/app.h"
#include "api/exchange.h"
#include "api/fleet.h"
#include "api/json_writer.h"
#include "common/clock.h"
#include "common/log.h"

#define PROBE_LANGUAGE "python"
#define PROBE_CODE     "print('ready')\n"
#define PROBE_OUTPUT   "ready\n"
#define PROBE_GOOD     "Programs run."

static bool
is_within(uint64_t then_us, uint64_t ms)
{
    return then_us != 0 && clock_monotonic_us() - then_us < ms * 1000;
}

static void
note_state(struct probe *probe, bool ready, const char *sentence)
{
    if (ready != probe->ready || !probe->known)
        LOG(ready ? LOG_INFO : LOG_WARNING, ready ? "ready" : "not_ready",
            {"message", LOG_STR(sentence)});
    probe->ready = ready;
    probe->known = true;
}

/* Says what is known before a program is run; false: nothing is missing. */
static bool
is_missing(const struct app *app, char *sentence, size_t size)
{
    const char *language = fleet_unserved(app, PROBE_LANGUAGE, app->probe.ran_us);
    if (!queue_client_connected(app->queue))
        snprintf(sentence, size, "There is no connection to Redis.");
    else if (language)
        snprintf(sentence, size, "No live worker serves the language %s.", language);
    else
        return false;
    return true;
}

static void
answer(struct exchange *exchange)
{
    const struct probe *probe = &exchange->app->probe;
    if (probe->failed_us != 0) {
        exchange_fail(exchange, HTTP_UNAVAILABLE, probe->sentence);
        return;
    }
    buffer_putc(&exchange->body, '{');
    json_put_text(&exchange->body, "status", "ready");
    if (probe->ran_us != 0)
        json_put_ms(&exchange->body, "age_ms", clock_monotonic_us() - probe->ran_us);
    buffer_putc(&exchange->body, '}');
    exchange_answer(exchange, HTTP_OK);
}

void
probe_note_run(struct probe *probe)
{
    probe->ran_us = clock_monotonic_us();
    probe->failed_us = 0;
}

static void
conclude(struct probe *probe, bool ready, const char *sentence)
{
    note_state(probe, ready, sentence);
    probe->request = NULL;
    if (ready)
        probe_note_run(probe);
    else
        probe->failed_us = clock_monotonic_us();
    snprintf(probe->sentence, sizeof(probe->sentence), "%s", sentence);

    /* Answering may bring the next request of the same connection, which may wait anew. */
    struct exchange_list waiters = LIST_HEAD_INITIALIZER(waiters);
    struct exchange *exchange;
    while ((exchange = LIST_FIRST(&probe->waiters))) {
        LIST_REMOVE(exchange, link);
        LIST_INSERT_HEAD(&waiters, exchange, link);
    }
    while ((exchange = LIST_FIRST(&waiters))) {
        LIST_REMOVE(exchange, link);
        answer(exchange);
    }
}

static bool
printed_what_it_should(const struct result *result)
{
    const struct bytes *kept = &result->out.kept;
    return result->verdict == VERDICT_EXITED && result->exit_code == 0 &&
           kept->size == strlen(PROBE_OUTPUT) && memcmp(kept->data, PROBE_OUTPUT, kept->size) == 0;
}

static void
on_probe_answer(void *context, const struct result *result, const struct err *err)
{
    struct probe *probe = context;
    char sentence[512] = PROBE_GOOD;
    bool ready = false;
    if (err)
        snprintf(sentence, sizeof(sentence), "%s", err->text);
    else if (result->error != ERR_NONE)
        snprintf(sentence, sizeof(sentence), "%s %s", err_code_text(result->error), result->detail);
    else if (!printed_what_it_should(result))
        snprintf(sentence, sizeof(sentence),
                 "A test program did not print what it should (verdict %s, exit code %d). %s",
                 verdict_name(result->verdict), (int)result->exit_code, result->detail);
    else
        ready = true;
    conclude(probe, ready, sentence);
}

static int
submit(struct app *app, struct err *err)
{
    const struct config *config = app->config;
    struct job job = {
        .language = PROBE_LANGUAGE,
        .code = {.data = (char[]){PROBE_CODE}, .size = strlen(PROBE_CODE)},
        .limits = config_job_limits(config),
    };
    job.limits.cpu_ms = PROBE_TIMEOUT_MS;
    if (job.limits.timeout_ms > PROBE_TIMEOUT_MS)
        job.limits.timeout_ms = PROBE_TIMEOUT_MS;
    const struct queue_submit how = {.max_depth = (uint32_t)config->max_queue_depth,
                                     .max_wait_ms = PROBE_TIMEOUT_MS,
                                     .at_head = true};
    if (job_new_id(job.id, err) < 0)
        return -1;
    app->probe.request = queue_submit(app->queue, &job, &how, on_probe_answer, &app->probe, err);
    return app->probe.request ? 0 : -1;
}

static void
abandon(struct exchange *exchange)
{
    LIST_REMOVE(exchange, link); /* the probe itself goes on: its outcome is kept */
}

/* Where nobody wants PROBE_LANGUAGE, that there are workers has to be enough. */
static bool
is_proven(const struct app *app)
{
    const struct probe *probe = &app->probe;
    if (!languages_find(&app->languages, PROBE_LANGUAGE))
        return fleet_view(app) != NULL;
    return is_within(probe->ran_us, PROBE_SUCCESS_MS) && probe->failed_us == 0;
}

/* Whether it is known without running a program; then exchange is answered. */
static bool
answer_what_is_known(struct exchange *exchange)
{
    struct probe *probe = &exchange->app->probe;
    char sentence[256];
    if (is_missing(exchange->app, sentence, sizeof(sentence))) {
        note_state(probe, false, sentence);
        exchange_fail(exchange, HTTP_UNAVAILABLE, sentence);
        return true;
    }
    if (is_within(probe->failed_us, PROBE_FAILURE_MS)) {
        answer(exchange);
        return true;
    }
    if (is_proven(exchange->app)) {
        note_state(probe, true, PROBE_GOOD);
        answer(exchange);
        return true;
    }
    return false;
}

void
probe_ready(struct exchange *exchange)
{
    struct probe *probe = &exchange->app->probe;
    struct err err = ERR_INIT;
    if (answer_what_is_known(exchange))
        return;
    exchange->abandon = abandon;
    LIST_INSERT_HEAD(&probe->waiters, exchange, link);
    if (probe->request)
        return;
    if (submit(exchange->app, &err) < 0)
        conclude(probe, false, err.text);
}

void
probe_fini(struct probe *probe)
{
    if (probe->request)
        queue_request_cancel(probe->request);
    probe->request = NULL;
    LIST_INIT(&probe->waiters);
}
