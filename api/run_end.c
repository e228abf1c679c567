#include "api/runs_internal.h"

#include <stdlib.h>
#include <string.h>

#include "api/artifact_store.h"
#include "api/run_artifacts.h"
#include "common/clock.h"
#include "common/codec.h"
#include "common/log.h"

/* For so long it is tried; after it the result of the job is all that is left, for who sweeps. */
#define TRY_US   60000000
/* After answer_by: whoever waits for the job is about to say so. And: a run without a job, after
 * this, was never submitted. As in run.lua. */
#define GRACE_MS 3000
#define LOST_MS  15000

static void send_end(struct run_end *end);

struct run_end {
    LIST_ENTRY(run_end) link;
    struct runs *runs;
    struct redis_script_call *call; /* under way */
    uint64_t try_until_us;          /* monotonic */
    char id[RUN_ID_SIZE];
    char owner[RUN_OWNER_SIZE];
    char language[JOB_LANGUAGE_SIZE];
    struct buffer metadata;
    struct run_facts facts; /* of these */
    struct run_text text;
    struct artifact_store_call *storing; /* the artifacts; under way */
    struct run_artifact *artifacts;      /* the same; NULL: none, or not stored */
    void (*on_ready)(void *context, struct run_end *end);
    void *context;
};

static void
on_stored(void *context, const struct stored_artifact *list, size_t count)
{
    struct run_end *end = context;

    end->storing = NULL;
    run_artifacts_keep_stored(end->artifacts, list, count, &end->text.artifacts);
    if (end->on_ready)
        end->on_ready(end->context, end);
    else if (end->try_until_us > 0)
        send_end(end);
}

/* Without a store, or where it fails, only their names and hashes are kept. */
static void
keep_artifacts(struct run_end *end, const struct artifacts *artifacts)
{
    struct app *app = end->runs->app;
    const struct artifact_store_to to = {.on_stored = on_stored, .context = end};
    struct err err = ERR_INIT;

    if (artifacts->count == 0)
        return;
    if (artifact_store_is_there(app))
        end->artifacts = run_artifacts_list(artifacts);
    if (end->artifacts)
        end->storing = artifact_store(app, end->owner, end->id, artifacts, &to, &err);
    if (!end->storing)
        run_artifacts_keep(artifacts, &end->text.artifacts);
}

bool
run_end_wait(struct run_end *end, void (*on_ready)(void *context, struct run_end *end),
             void *context)
{
    if (!end->storing)
        return false;
    end->on_ready = on_ready;
    end->context = context;
    return true;
}

struct run_end *
run_end_new(struct runs *runs, const char *owner, const struct run_facts *facts,
            const struct result *result)
{
    struct run_end *end = calloc(1, sizeof(*end));

    if (!end)
        return NULL;
    end->runs = runs;
    end->facts = *facts;
    snprintf(end->id, sizeof(end->id), "%s", facts->id);
    snprintf(end->owner, sizeof(end->owner), "%s", owner);
    snprintf(end->language, sizeof(end->language), "%s", facts->language);
    buffer_append(&end->metadata, facts->metadata, facts->metadata_size);
    end->facts.id = end->id;
    end->facts.language = end->language;
    end->facts.metadata = end->metadata.data;
    LIST_INSERT_HEAD(&runs->ends, end, link);
    run_object_end(&end->text, &end->facts, result);
    keep_artifacts(end, &result->artifacts);
    if (!end->metadata.failed && !end->text.before.failed && !end->text.artifacts.failed &&
        !end->text.after.failed)
        return end;
    run_end_free(end);
    return NULL;
}

void
run_end_free(struct run_end *end)
{
    if (end->call)
        redis_script_forget(end->call);
    if (end->storing)
        artifact_store_forget(end->storing);
    LIST_REMOVE(end, link);
    run_artifacts_free(end->artifacts);
    buffer_fini(&end->metadata);
    run_text_fini(&end->text);
    free(end);
}

void
run_end_put(const struct run_end *end, const struct exchange *exchange,
            const struct artifacts *with_contents, struct buffer *out)
{
    buffer_append(out, end->text.before.data, end->text.before.size);
    run_artifacts_put(exchange, end->text.artifacts.data, end->text.artifacts.size, with_contents,
                      out);
    buffer_append(out, end->text.after.data, end->text.after.size);
}

void
run_found_put(const struct exchange *exchange, const struct run_found *found, struct buffer *out)
{
    buffer_append(out, found->before, found->before_size);
    run_artifacts_put(exchange, found->artifacts, found->artifacts_size, NULL, out);
    buffer_append(out, found->after, found->after_size);
}

/* ---- into the record ---- */

static void
on_sent(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct run_end *end = context;

    (void)reply;
    end->call = NULL;
    if (!err) {
        run_end_free(end);
    } else if (clock_monotonic_us() >= end->try_until_us) {
        log_err(LOG_WARNING, "run_not_recorded", err);
        run_end_free(end);
    }
}

static void
send_end(struct run_end *end)
{
    struct err err = ERR_INIT;

    end->call = run_records_finish(&end->runs->records, end->owner, &end->facts, &end->text,
                                   on_sent, end, &err);
}

void
run_end_send(struct run_end *end)
{
    end->try_until_us = clock_monotonic_us() + TRY_US;
    if (!end->storing)
        send_end(end);
}

void
run_end_retry(struct runs *runs)
{
    uint64_t now_us = clock_monotonic_us();
    struct run_end *next;

    for (struct run_end *end = LIST_FIRST(&runs->ends); end; end = next) {
        next = LIST_NEXT(end, link);
        if (end->storing)
            continue;
        if (!end->call && end->try_until_us > 0 && now_us < end->try_until_us)
            send_end(end);
        else if (!end->call && end->try_until_us > 0)
            run_end_free(end);
    }
}

/* ---- what nobody waits for any more ---- */

static bool
settle(struct runs *runs, const char *owner, const struct run_found *found,
       const struct result *result)
{
    struct run_end *end = run_end_new(runs, owner, &found->facts, result);

    if (end)
        run_end_send(end);
    return end != NULL;
}

static bool
settle_without_result(struct runs *runs, const char *owner, const struct run_found *found)
{
    struct result result = {.exit_code = -1};
    bool has_job = found->state[0] != '\0';

    if (has_job ? found->now_ms <= found->answer_by_ms + GRACE_MS
                : found->now_ms <= found->facts.created_ms + LOST_MS)
        return false;
    if (strcmp(found->state, "queued") == 0 || strcmp(found->state, "expired") == 0) {
        result.error = ERR_QUEUE_TIMEOUT;
    } else if (strcmp(found->state, "cancelled") == 0) {
        result.verdict = VERDICT_CANCELLED;
    } else {
        result.error = ERR_WORKER_LOST;
        snprintf(result.detail, sizeof(result.detail), "%s",
                 has_job ? "The worker that took the job did not answer in time."
                         : "The job or its answer is gone from Redis.");
    }
    return settle(runs, owner, found, &result);
}

bool
run_settle(struct runs *runs, const char *owner, const struct run_found *found)
{
    struct result result;
    struct err err = ERR_INIT;

    if (!found->result)
        return settle_without_result(runs, owner, found);
    if (codec_unpack_result(found->result, found->result_size, &result, &err) < 0) {
        result = (struct result){.error = err.code, .exit_code = -1};
        snprintf(result.detail, sizeof(result.detail), "%.255s", err.text);
    }
    bool settled = settle(runs, owner, found, &result);
    result_fini(&result);
    return settled;
}
