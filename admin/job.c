#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/command.h"
#include "admin/element.h"
#include "admin/list_walk.h"
#include "admin/record.h"
#include "common/codec.h"

/* Elements that are looked through for one job. */
#define SEARCH_MOST 1000000

struct view {
    const char *id;
    char named[JOB_ID_SIZE]; /* the job that its client calls so; "": none */
    int64_t now_us;
    struct record record;
    struct bytes blob, result;
    int64_t expires_ms;
    bool found; /* the element, which is: */
    uint64_t index;
    char where[QUEUE_KEY_SIZE];
    size_t element_size;
    struct job job;
    bool has_input;
    bool no_memory;
};

static void
on_bytes(struct view *view, struct bytes *bytes, const struct redis_reply *reply)
{
    size_t size;
    const char *data = redis_reply_bytes(reply, &size);

    if (data && bytes_copy(bytes, data, size) < 0)
        view->no_memory = true;
}

static void
on_name(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct view *view = context;
    size_t size;
    const char *id = redis_reply_bytes(reply, &size);

    (void)err;
    if (id && element_is_id(id))
        memcpy(view->named, id, JOB_ID_SIZE);
}

static int
resolve_name(struct session *session, struct view *view, struct err *err)
{
    struct queue_key name = session_key(session, "name:", view->id);

    session_ask(session, (const char *const[]){"GET", name.text, NULL}, on_name, view);
    if (session_wait(session, err) < 0)
        return -1;
    if (view->named[0])
        view->id = view->named;
    return 0;
}

static void
on_blob(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct view *view = context;

    (void)err;
    on_bytes(view, &view->blob, reply);
}

static void
on_result(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct view *view = context;

    (void)err;
    on_bytes(view, &view->result, reply);
}

static void
on_expiry(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct view *view = context;

    (void)err;
    view->expires_ms = redis_reply_int(reply, -1);
}

static bool
on_element(void *context, uint64_t index, const char *element, size_t size)
{
    struct view *view = context;
    struct err ignored = ERR_INIT;
    char id[JOB_ID_SIZE];

    if (!element_id(element, size, id) || strcmp(id, view->id) != 0)
        return false;
    view->index = index;
    view->element_size = size;
    view->found = codec_unpack_element(element, size, &view->job, &view->has_input, &ignored) == 0;
    return true;
}

static int
search(struct command *command, struct view *view, const char *kind, const char *name,
       struct err *err)
{
    struct queue_key key = session_key(command->session, kind, name);
    struct err failed = ERR_INIT;

    if (view->found || !*name)
        return 0;
    if (list_walk(command->session, key.text, true, SEARCH_MOST, on_element, view, &failed) < 0 &&
        command->session->down) {
        *err = failed;
        return -1;
    }
    (void)snprintf(view->where, sizeof(view->where), "%s%s", kind, name);
    return 0;
}

static int
read_view(struct command *command, struct view *view, struct err *err)
{
    struct session *session = command->session;
    struct queue_key job = session_key(session, "job:", view->id);
    struct queue_key blob = session_key(session, "blob:", view->id);
    struct queue_key result = session_key(session, "result:", view->id);

    session_ask_time(session, &view->now_us);
    record_ask(session, view->id, &view->record);
    session_ask(session, (const char *const[]){"PTTL", job.text, NULL}, on_expiry, view);
    session_ask(session, (const char *const[]){"GET", blob.text, NULL}, on_blob, view);
    session_ask(session, (const char *const[]){"GET", result.text, NULL}, on_result, view);
    if (session_wait(session, err) < 0)
        return -1;
    if (view->no_memory)
        return err_set(err, ERR_SYSTEM, ENOMEM, "reading a job");
    if (search(command, view, "inflight:", view->record.owner, err) < 0)
        return -1;
    return search(command, view, "queue:", view->record.language, err);
}

static void
report_position(struct report *report, const struct view *view)
{
    char text[QUEUE_KEY_SIZE + 40];

    if (!view->found) {
        report_none(report, "where");
        return;
    }
    int length = snprintf(text, sizeof(text), "%s", view->where);
    if (strncmp(view->where, "queue:", 6) == 0)
        (void)snprintf(text + length, sizeof(text) - (size_t)length, ", %" PRIu64 " before it",
                       view->index);
    report_string(report, "where", text);
}

static void
report_outcome(struct report *report, const struct view *view)
{
    struct result result;
    struct err err = ERR_INIT;

    if (!view->result.data) {
        report_none(report, "outcome");
        return;
    }
    if (codec_unpack_result(view->result.data, view->result.size, &result, &err) < 0) {
        report_string(report, "outcome", err.text);
        return;
    }
    report_string(report, "outcome",
                  result.error != ERR_NONE ? err_code_name(result.error)
                                           : verdict_name(result.verdict));
    report_string(report, "detail", result.detail);
    report_ms(report, "ran_ms", (int64_t)(result.exec_us / 1000));
    result_fini(&result);
}

/* The unit is in the name. */
static void
report_limit(struct report *report, const char *name, uint32_t value)
{
    const char *unit = strrchr(name, '_');

    if (value == UINT32_MAX) /* as much as its worker allows */
        report_none(report, name);
    else if (strcmp(unit, "_ms") == 0)
        report_ms(report, name, value);
    else if (strcmp(unit, "_bytes") == 0)
        report_bytes(report, name, value);
    else
        report_int(report, name, value);
}

static void
report_element(struct report *report, const struct view *view)
{
    if (!view->found)
        return;
    report_bytes(report, "element_bytes", view->element_size);
#define JOB_LIMIT(field, since, least, most, meaning)                                              \
    report_limit(report, "limit_" #field, view->job.limits.field);
#include "common/job_limits.def"
#undef JOB_LIMIT
}

static int
report_code(struct report *report, struct view *view, struct err *err)
{
    if (!view->found)
        return err_set(err, ERR_INVALID, 0, "the program of %s is not there any more", view->id);
    if (!view->has_input &&
        codec_unpack_blob(view->blob.data, view->blob.size, &view->job, err) < 0)
        return -1;
    report_int(report, "files", (int64_t)view->job.files.count);
    report_bytes(report, "stdin_bytes", view->job.input.size);
    report_lines(report, "code", view->job.code.data ? view->job.code.data : "",
                 view->job.code.size);
    return 0;
}

static void
report_view(struct report *report, const struct view *view)
{
    const struct record *record = &view->record;

    report_record(report, "job");
    report_string(report, "id", view->id);
    report_string(report, "state", record->state);
    report_string(report, "language", record->language);
    report_string(report, "worker", record->owner);
    report_position(report, view);
    record_report_int(report, "attempts", record->attempts);
    record_report_int(report, "max_attempts", record->max_attempts);
    record_report_int(report, "epoch", record->epoch);
    record_report_since(report, "age_ms", record->submitted_us, view->now_us);
    record_report_since(report, "claimed_since_ms", record->claimed_us, view->now_us);
    record_report_left(report, "start_by_ms", record->start_by_ms, view->now_us);
    record_report_left(report, "answer_by_ms", record->answer_by_ms, view->now_us);
    if (view->expires_ms >= 0)
        report_ms(report, "record_expires_ms", view->expires_ms);
    else
        report_none(report, "record_expires_ms");
    if (view->blob.data)
        report_bytes(report, "blob_bytes", view->blob.size);
    else
        report_none(report, "blob_bytes");
    report_outcome(report, view);
    report_element(report, view);
}

int
command_job(struct command *command, struct err *err)
{
    struct view view = {.id = command->options->argument, .expires_ms = -1};

    if (!element_is_id(view.id))
        return err_set(err, ERR_INVALID, 0, "\"%.40s\" is no id of 32 digits 0-9 a-f", view.id);
    int result = resolve_name(command->session, &view, err);
    if (result == 0)
        result = read_view(command, &view, err);
    if (result == 0 && !view.record.known && !view.result.data)
        result =
            err_set(err, ERR_INVALID, 0, "there is no job %s (%s)", view.id, view.record.state);
    if (result == 0) {
        report_view(command->report, &view);
        if (command->options->code)
            result = report_code(command->report, &view, err);
    }
    bytes_fini(&view.blob);
    bytes_fini(&view.result);
    job_fini(&view.job);
    return result;
}
