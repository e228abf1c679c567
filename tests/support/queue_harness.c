#include "tests/support/queue_harness.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/log.h"

static const char *const languages[] = {"python", NULL};

/* ---- the worker ---- */

static void
finish(struct harness *h, struct queue_claim *claim)
{
    struct err err = ERR_INIT;
    struct result result = {.verdict = VERDICT_EXITED};
    memcpy(result.id, claim->job.id, sizeof(result.id));
    assert_int_equal(bytes_copy(&result.out.kept, claim->job.code.data, claim->job.code.size), 0);
    assert_int_equal(queue_worker_finish(h->worker, claim, &result, &err), 0);
    result_fini(&result);
    queue_claim_fini(claim);
}

static void
on_job(void *context, struct queue_claim *claim)
{
    struct harness *h = context;
    h->jobs++;
    if (h->mode == HARNESS_FINISH) {
        finish(h, claim);
        queue_worker_set_capacity(h->worker, "python", 1);
        return;
    }
    assert_true(h->held_count < sizeof(h->held) / sizeof(h->held[0]));
    h->held[h->held_count++] = *claim;
}

static void
on_cancel(void *context, const char *id, uint64_t epoch)
{
    struct harness *h = context;
    (void)epoch;
    h->cancels++;
    strcpy(h->cancelled_id, id);
}

static void
on_finished(void *context, const char *id, const struct err *err)
{
    struct harness *h = context;
    (void)id;
    if (!err)
        h->delivered++;
    else if (err->code == ERR_REJECTED)
        h->refused++;
    else
        h->undelivered++;
}

void
harness_finish(struct harness *h, unsigned index)
{
    finish(h, &h->held[index]);
}

static void
on_drain(void *context)
{
    struct harness *h = context;
    h->drains++;
}

static void
on_unfit(void *context, const struct err *err)
{
    struct harness *h = context;
    h->unfits++;
    memcpy(h->unfit_text, err->text, sizeof(h->unfit_text));
}

struct queue_options
harness_options(struct harness *h)
{
    return (struct queue_options){.redis_url = h->redis.url,
                                  .prefix = HARNESS_PREFIX,
                                  .connect_timeout_ms = 1000,
                                  .command_timeout_ms = 1000,
                                  .on_unfit = on_unfit,
                                  .context = h};
}

struct queue_worker *
harness_worker(struct harness *h, const char *id)
{
    struct err err = ERR_INIT;
    struct queue_options options = harness_options(h);
    const struct queue_worker_hooks hooks = {.on_job = on_job,
                                             .on_cancel = on_cancel,
                                             .on_drain = on_drain,
                                             .on_finished = on_finished,
                                             .context = h};
    struct queue_worker *worker = queue_worker_new(h->base, &options, id, languages, &hooks, &err);
    if (!worker)
        fail_msg("%s", err.text);
    return worker;
}

/* ---- the client ---- */

static void
on_answer(void *context, const struct result *result, const struct err *err)
{
    struct harness_answer *answer = context;
    answer->count++;
    answer->request = NULL;
    if (err) {
        answer->code = err->code;
        memcpy(answer->text, err->text, sizeof(answer->text));
        return;
    }
    result_fini(&answer->result);
    answer->result = *result;
    assert_int_equal(
        bytes_copy(&answer->result.out.kept, result->out.kept.data, result->out.kept.size), 0);
    assert_int_equal(
        bytes_copy(&answer->result.err.kept, result->err.kept.data, result->err.kept.size), 0);
}

void
harness_submit_as(struct harness *h, const char *code, const struct queue_submit *how,
                  uint32_t timeout_ms, struct harness_answer *answer)
{
    struct err err = ERR_INIT;
    struct job job = {.language = "python",
                      .limits = {.timeout_ms = timeout_ms,
                                 .cpu_ms = 1000,
                                 .memory_mb = 64,
                                 .output_bytes = 1000,
                                 .work_bytes = 1000,
                                 .work_files = 10,
                                 .artifacts = 1,
                                 .artifact_bytes = 1,
                                 .artifacts_total_bytes = 1}};
    memset(answer, 0, sizeof(*answer));
    assert_int_equal(job_new_id(job.id, &err), 0);
    assert_int_equal(bytes_copy(&job.code, code, strlen(code)), 0);
    answer->request = queue_submit(h->client, &job, how, on_answer, answer, &err);
    if (!answer->request) {
        answer->count++;
        answer->code = err.code;
    }
    job_fini(&job);
}

void
harness_submit(struct harness *h, const char *code, struct harness_answer *answer)
{
    const struct queue_submit how = {.max_depth = 100, .max_wait_ms = 10000};
    harness_submit_as(h, code, &how, 5000, answer);
}

/* ---- the loop ---- */

static void
on_tick(evutil_socket_t fd, short events, void *context)
{
    (void)fd, (void)events;
    event_base_loopbreak(context);
}

/* One round of the loop that takes at most until deadline_us. False: it has passed. */
static bool
run_once(struct harness *h, uint64_t deadline_us)
{
    uint64_t now = clock_monotonic_us();
    if (now >= deadline_us)
        return false;
    struct timeval left = {.tv_sec = (time_t)((deadline_us - now) / 1000000),
                           .tv_usec = (suseconds_t)((deadline_us - now) % 1000000)};
    struct event *tick = evtimer_new(h->base, on_tick, h->base);
    assert_non_null(tick);
    evtimer_add(tick, &left);
    event_base_loop(h->base, EVLOOP_ONCE);
    event_free(tick);
    return true;
}

void
harness_run_until(struct harness *h, const unsigned *value, unsigned at_least, unsigned ms)
{
    uint64_t deadline_us = clock_monotonic_us() + (uint64_t)ms * 1000;
    while (*value < at_least)
        if (!run_once(h, deadline_us))
            fail_msg("%u of %u within %u ms", *value, at_least, ms);
}

void
harness_run_while(struct harness *h, bool (*condition)(struct harness *h), unsigned ms)
{
    uint64_t deadline_us = clock_monotonic_us() + (uint64_t)ms * 1000;
    while (condition(h))
        if (!run_once(h, deadline_us))
            fail_msg("not within %u ms", ms);
}

void
harness_run_for(struct harness *h, unsigned ms)
{
    uint64_t deadline_us = clock_monotonic_us() + (uint64_t)ms * 1000;
    while (run_once(h, deadline_us))
        ;
}

void
harness_wait_depth(struct harness *h, long long depth)
{
    uint64_t deadline_us = clock_monotonic_us() + 3000000;
    while (redis_fixture_int(&h->redis, "LLEN " HARNESS_PREFIX "queue:python") != depth) {
        if (clock_monotonic_us() > deadline_us)
            fail_msg("the queue never had %lld jobs", depth);
        harness_run_for(h, 5);
    }
}

bool
harness_disconnected(struct harness *h)
{
    return !queue_client_connected(h->client) || !queue_worker_connected(h->worker);
}

int
harness_setup(void **state)
{
    struct err err = ERR_INIT;
    struct harness *h = calloc(1, sizeof(*h));
    assert_non_null(h);
    signal(SIGPIPE, SIG_IGN);
    log_init("test", LOG_ERROR);
    redis_fixture_start(&h->redis);
    struct queue_options options = harness_options(h);
    h->base = event_base_new();
    h->client = queue_client_new(h->base, &options, 64, &err);
    if (!h->client)
        fail_msg("%s", err.text);
    h->worker = harness_worker(h, "w1");
    harness_run_while(h, harness_disconnected, 3000);
    *state = h;
    return 0;
}

int
harness_teardown(void **state)
{
    struct harness *h = *state;
    queue_client_free(h->client);
    queue_worker_free(h->worker);
    event_base_free(h->base);
    redis_fixture_stop(&h->redis);
    free(h);
    return 0;
}
