/*
 * POST /v1/runs. With an Idempotency-Key the record is made first, and says whether there is such a
 * run already; without one, record and job leave at the same time. An answer that waits is the
 * run's end, and leaves before that is on its way into the record; one that does not leaves when
 * both the record is made and the queue has the job.
 *
 * A run outlives its exchange: a client that hangs up while it waits has its run cancelled, and the
 * record says so.
 */
#include "api/runs_internal.h"

#include <stdlib.h>
#include <string.h>

#include "api/request_metrics.h"
#include "api/run_request.h"
#include "api/surface.h"
#include "common/clock.h"
#include "common/log.h"

#define KEY_BYTES 255 /* of an Idempotency-Key */

struct run {
    LIST_ENTRY(run) link;
    struct runs *runs;
    struct exchange *exchange; /* NULL: it is answered, or gone */
    char id[RUN_ID_SIZE];
    char owner[RUN_OWNER_SIZE];
    struct run_request request; /* its job's input is freed when it is submitted */
    int64_t created_ms;
    struct surface_asked asked;
    struct run_files_load *load; /* under way; likewise: */
    struct redis_script_call *begin;
    struct queue_request *submitted; /* its answer is awaited */
    bool named;                      /* by an Idempotency-Key */
    bool recorded, accepted;
};

static struct run_facts
facts_of(const struct run *run)
{
    return (struct run_facts){.id = run->id,
                              .language = run->request.job.language,
                              .metadata = run->request.metadata.data,
                              .metadata_size = run->request.metadata.size,
                              .created_ms = run->created_ms};
}

static void
run_free(struct run *run)
{
    if (run->load)
        run_files_forget(run->load);
    if (run->begin)
        redis_script_forget(run->begin);
    LIST_REMOVE(run, link);
    run_request_fini(&run->request);
    free(run);
}

void
run_free_all(struct runs *runs)
{
    while (!LIST_EMPTY(&runs->live))
        run_free(LIST_FIRST(&runs->live));
}

/* The run needs its exchange no longer. */
static struct exchange *
detach(struct run *run)
{
    struct exchange *exchange = run->exchange;

    run->exchange = NULL;
    return exchange;
}

static void
put_location(struct exchange *exchange, const struct run *run)
{
    buffer_printf(&exchange->headers, "Location: /v1/runs/%s\r\n", run->id);
}

/* It never came to be. */
static void
refuse(struct run *run, const struct err *err)
{
    struct exchange *exchange = detach(run);

    run_records_drop(&run->runs->records, run->id);
    run_free(run);
    if (exchange)
        exchange_fail_err(exchange, err);
}

static void
cancel_job(struct run *run)
{
    struct err err = ERR_INIT;
    struct queue_cancel *cancel = queue_cancel_start(
        run->runs->app->queue, run->id + strlen(RUN_ID_PREFIX), NULL, NULL, &err);

    if (cancel)
        queue_cancel_forget(cancel);
}

static void
abandon(struct exchange *exchange)
{
    struct run *run = exchange->waiting_for;

    (void)detach(run);
    /* Between the two on_begun() sees to it. */
    if (run->load)
        run_free(run);
    else if (run->submitted && run->request.wait)
        cancel_job(run);
}

/* ---- the end ---- */

static void
answer_end(struct exchange *exchange, const struct run *run, const struct run_end *end,
           const struct result *result)
{
    struct err err = {.code = result->error};

    put_location(exchange, run);
    if (result->error != ERR_NONE && run->request.wait) {
        snprintf(err.text, sizeof(err.text), "%s",
                 result->detail[0] ? result->detail : err_code_text(result->error));
        exchange_fail_err(exchange, &err);
        return;
    }
    run_end_put(end, exchange, &result->artifacts, &exchange->body);
    exchange_answer(exchange, run->request.wait ? HTTP_OK : HTTP_ACCEPTED);
}

/* Its artifacts, if it had any, are stored. */
static void
on_end_ready(void *context, struct run_end *end)
{
    struct run *run = context;
    struct exchange *exchange = detach(run);
    const struct result result = {.verdict = VERDICT_EXITED};

    if (exchange)
        answer_end(exchange, run, end, &result);
    run_end_send(end);
    run_free(run);
}

static void
end_run(struct run *run, const struct result *result)
{
    const struct run_facts facts = facts_of(run);
    struct run_end *end = run_end_new(run->runs, run->owner, &facts, result);
    const struct err err = {.code = ERR_UNAVAILABLE, .text = "Out of memory."};

    if (end && run_end_wait(end, on_end_ready, run))
        return;
    struct exchange *exchange = detach(run);
    if (exchange && !end)
        exchange_fail_err(exchange, &err);
    else if (exchange)
        answer_end(exchange, run, end, result);
    if (end)
        run_end_send(end);
    run_free(run);
}

/* No result: refused by the queue, given up by it, or Redis is away. */
static void
end_without_result(struct run *run, const struct err *err)
{
    struct result result = {.error = err->code, .exit_code = -1};

    if (!run->accepted) {
        refuse(run, err);
        return;
    }
    if (err->code == ERR_UNAVAILABLE) { /* what has become of the job is for the sweep to see */
        struct exchange *exchange = detach(run);
        if (exchange)
            put_location(exchange, run);
        run_free(run);
        if (exchange)
            exchange_fail_err(exchange, err);
        return;
    }
    snprintf(result.detail, sizeof(result.detail), "%.255s", err->text);
    end_run(run, &result);
}

static void
on_job_answer(void *context, const struct result *result, const struct err *err)
{
    struct run *run = context;

    run->submitted = NULL;
    surface_note_end(run->runs->app, &run->asked, result, err);
    if (result)
        end_run(run, result);
    else
        end_without_result(run, err);
}

/* ---- the beginning ---- */

/* An answer that does not wait for the end. */
static void
answer_if_begun(struct run *run)
{
    const struct run_facts facts = facts_of(run);

    if (run->request.wait || !run->exchange || !run->recorded || !run->accepted)
        return;
    struct exchange *exchange = detach(run);
    put_location(exchange, run);
    run_object_put_open(&exchange->body, &facts, 0);
    exchange_answer(exchange, HTTP_ACCEPTED);
}

static void
on_accepted(void *context)
{
    struct run *run = context;

    run->accepted = true;
    answer_if_begun(run);
}

static int
submit(struct run *run, struct err *err)
{
    struct app *app = run->runs->app;
    struct queue_submit how = surface_submit_options(app, NULL);

    how.keep_records = true;
    how.on_accepted = on_accepted;
    run->submitted = queue_submit(app->queue, &run->request.job, &how, on_job_answer, run, err);
    job_input_fini(&run->request.job);
    if (!run->submitted) {
        request_metrics_job(run->asked.language, NULL, err, 0);
        return -1;
    }
    surface_note_begin();
    return 0;
}

/* There is a run by this Idempotency-Key. */
static void
answer_known(struct run *run, const struct redis_reply *reply)
{
    struct exchange *exchange = detach(run);
    bool wait = run->request.wait;
    char id[RUN_ID_SIZE] = "";
    size_t size;
    const char *known = redis_reply_bytes(redis_reply_item(reply, 1), &size);

    if (known && size < sizeof(id))
        memcpy(id, known, size + 1);
    run_free(run);
    if (!exchange)
        return;
    exchange->abandon = NULL;
    exchange->waiting_for = NULL;
    if (id[0] == '\0') {
        exchange_fail(exchange, HTTP_CONFLICT,
                      "A request with this Idempotency-Key had another body.");
        return;
    }
    buffer_printf(&exchange->headers, "Location: /v1/runs/%s\r\nIdempotent-Replayed: true\r\n", id);
    run_watch_answer(exchange, id, wait, HTTP_ACCEPTED);
}

/* A client that waits gets its answer all the same: the end makes the record too. */
static void
begin_failed(struct run *run, const struct err *err)
{
    if (!run->submitted) {
        refuse(run, err);
    } else if (!run->request.wait) {
        struct exchange *exchange = detach(run);
        cancel_job(run);
        if (exchange)
            exchange_fail_err(exchange, err);
    }
}

/* The record is made; where it had to be first, now comes the job. */
static void
on_begun(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct run *run = context;
    struct err failed = ERR_INIT;

    run->begin = NULL;
    if (err) {
        begin_failed(run, err);
        return;
    }
    run->recorded = true;
    if (redis_reply_int(redis_reply_item(reply, 0), 1) != 1) {
        answer_known(run, reply);
        return;
    }
    if (run->named && !run->exchange) {
        refuse(run, &failed); /* hung up */
        return;
    }
    if (run->named && submit(run, &failed) < 0) {
        refuse(run, &failed);
        return;
    }
    answer_if_begun(run);
}

static int
make_record(struct run *run, struct err *err)
{
    const char *key = http_request_header(run->exchange->request, "idempotency-key");
    const struct run_facts facts = facts_of(run);
    struct buffer name = {.data = (char *)(uintptr_t)key, .size = key ? strlen(key) : 0};
    const struct buffer *const both[2] = {key ? &name : NULL, &run->exchange->request->body};

    run->begin =
        run_records_begin(&run->runs->records, run->owner, &facts, both, on_begun, run, err);
    return run->begin ? 0 : -1;
}

static int
begin(struct run *run, struct err *err)
{
    struct job *job = &run->request.job;

    if (job_new_id(job->id, err) < 0)
        return -1;
    snprintf(run->id, sizeof(run->id), RUN_ID_PREFIX "%s", job->id);
    snprintf(run->exchange->job_id, sizeof(run->exchange->job_id), "%s", job->id);
    run->asked.language = metrics_language(job->language);
    run->asked.file_bytes = job_files_bytes(&job->files);
    memcpy(job->request_id, run->exchange->request_id, sizeof(job->request_id));
    if (make_record(run, err) < 0)
        return -1;
    return run->named ? 0 : submit(run, err);
}

/* Nothing is known of it anywhere yet. */
static void
reject(struct run *run, const struct err *err, const char *param)
{
    struct exchange *exchange = detach(run);

    run_free(run);
    if (param)
        exchange_fail_param(exchange, err_code_http_status(err->code), param, err->text);
    else
        exchange_fail_err(exchange, err);
}

static void
begin_or_refuse(struct run *run)
{
    struct err err = ERR_INIT;

    if (begin(run, &err) < 0)
        refuse(run, &err);
}

static void
on_files(void *context, const struct err *err, const char *param)
{
    struct run *run = context;

    run->load = NULL;
    if (err)
        reject(run, err, param);
    else
        begin_or_refuse(run);
}

static void
fetch_files(struct run *run)
{
    struct err err = ERR_INIT;

    run->load = run_files_load(run->runs->app, run->owner, &run->request.files,
                               &run->request.job.files, on_files, run, &err);
    if (!run->load)
        reject(run, &err, err.code == ERR_INVALID ? "files[0].file_id" : NULL);
}

static struct run *
run_new(struct exchange *exchange)
{
    struct run *run = calloc(1, sizeof(*run));

    if (!run)
        return NULL;
    run->runs = exchange->app->runs;
    run->exchange = exchange;
    run->created_ms = clock_realtime_ms();
    run->asked.started_us = exchange->started_us;
    snprintf(run->owner, sizeof(run->owner), "%s", exchange_owner(exchange));
    run->asked.label = exchange->caller ? run->owner : NULL;
    run->named = http_request_header(exchange->request, "idempotency-key") != NULL;
    LIST_INSERT_HEAD(&run->runs->live, run, link);
    return run;
}

/* False, and the exchange is answered: the header is not right. */
static bool
has_good_key(struct exchange *exchange)
{
    const char *key = http_request_header(exchange->request, "idempotency-key");

    if (!key || (key[0] != '\0' && strlen(key) <= KEY_BYTES))
        return true;
    exchange_fail_param(exchange, HTTP_BAD_REQUEST, "Idempotency-Key",
                        "An Idempotency-Key has 1 to 255 characters.");
    return false;
}

static void
create(struct run *run)
{
    struct exchange *exchange = run->exchange;
    struct validation validation = {.count = 0};
    struct err err = ERR_INIT;

    exchange->waiting_for = run;
    exchange->abandon = abandon;
    if (run_request_parse(&exchange->request->body, exchange->app, &run->request, &validation,
                          &err) < 0) {
        run_free(run);
        if (validation.count > 0) {
            validation_put(&validation, &exchange->body);
            exchange_answer(exchange, HTTP_UNPROCESSABLE_CONTENT);
        } else {
            exchange_fail_err(exchange, &err);
        }
    } else if (run->request.files.count > 0) {
        fetch_files(run);
    } else {
        begin_or_refuse(run);
    }
    validation_fini(&validation);
}

void
runs_create(struct exchange *exchange)
{
    if (!has_good_key(exchange))
        return;
    struct run *run = run_new(exchange);
    if (run)
        create(run);
    else
        exchange_fail(exchange, HTTP_UNAVAILABLE, "Out of memory; try again in a moment.");
}
