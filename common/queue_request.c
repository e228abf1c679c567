/*
 * Theory of operation. One connection carries submissions and cancellations of all requests; each
 * request also holds a waiter (queue_waiter.h), a connection of its own that blocks until the
 * result is there. Submission and waiting leave at the same time; a refused submission and a
 * cancellation wake the waiter too, so that it comes back at once. A request is in one stage:
 *
 *   SUBMITTING  the submit script is under way, or was lost with the connection and will be sent
 *               again when that is back (the script recognises the job). It ends UNAVAILABLE when
 *               this takes too long.
 *   WAITING     accepted. A little after start_by the cancel script gives it up if it is still
 *               queued, which publishes queue_timeout and so wakes the waiter.
 *   ENDING      answer_by has passed: the job's state decides what the answer is.
 *
 * A request ends in request_end() and nowhere else, whoever gets there first; it is freed when the
 * callbacks of the commands that carry it have come home.
 */
#include "common/queue_client_internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/codec.h"

/* Code and input above this travel beside the list, and files, arguments, environment always. */
#define INLINE_BYTES     16384
/* From start_by plus the program's own time to answer_by. */
#define ANSWER_MARGIN_MS 2000
/* After start_by, before a job that is still queued is given up: a claim may be on its way. */
#define START_MARGIN_US  100000
#define DEFAULT_ATTEMPTS 2

static void request_ask_state(struct queue_request *request);

/* ---- the end of a request ---- */

static void
request_free(struct queue_request *request)
{
    if (request->timer)
        event_free(request->timer);
    bytes_fini(&request->job_map);
    bytes_fini(&request->blob);
    free(request);
}

static void
request_leave(struct queue_request *request)
{
    struct queue_client *client = request->client;
    request->ended = true;
    TAILQ_REMOVE(&client->requests, request, entry);
    TAILQ_INSERT_TAIL(&client->ended, request, entry);
    client->in_flight--;
    if (request->waiter)
        waiter_release(request->waiter);
    request->waiter = NULL;
    evtimer_del(request->timer);
}

void
queue_request_drop(struct queue_request *request)
{
    struct queue_client *client = request->client;
    if (!request->ended)
        request_leave(request);
    TAILQ_REMOVE(&client->ended, request, entry);
    request_free(request);
}

/* A command that carried the request has called back. True: the request has ended meanwhile. */
static bool
request_returned(struct queue_request *request)
{
    request->commands--;
    if (!request->ended)
        return false;
    if (request->commands == 0)
        queue_request_drop(request);
    return true;
}

static void
request_end(struct queue_request *request, const struct result *result, const struct err *err)
{
    request_leave(request);
    request->on_answer(request->context, result, err);
    if (request->commands == 0)
        queue_request_drop(request);
}

static void
request_fail(struct queue_request *request, enum err_code code, const char *text)
{
    struct err err = ERR_INIT;
    err_set(&err, code, 0, "%s", text);
    request_end(request, NULL, &err);
}

static void
request_answer(struct queue_request *request, const char *data, size_t size)
{
    struct result result;
    struct err err = ERR_INIT;
    if (codec_unpack_result(data, size, &result, &err) < 0) {
        err_wrap(&err, "result of job %s", request->id);
        request_end(request, NULL, &err);
        return;
    }
    if (!request->how.keep_records)
        queue_client_note_done(request->client, request->id);
    request_end(request, &result, NULL);
    result_fini(&result);
}

static void
on_waiter(void *context, const char *data, size_t size, const struct err *err)
{
    struct queue_request *request = context;
    if (err)
        request_end(request, NULL, err);
    else
        request_answer(request, data, size);
}

/* ---- the cancel script ---- */

static int
send_cancel(struct queue_request *request, const char *mode, redis_reply_fn *on_reply,
            struct err *err)
{
    struct queue_client *client = request->client;
    struct redis_command command;
    queue_script_begin(&client->scripts, QUEUE_SCRIPT_CANCEL, &command);
    redis_command_add_text(&command, client->prefix);
    redis_command_add_text(&command, request->id);
    redis_command_add_text(&command, request->language);
    redis_command_add_text(&command, mode);
    redis_command_add_bytes(&command, request->job_map.data, request->job_map.size);
    if (redis_send(client->connection, &command, 0, on_reply, request, err) < 0)
        return -1;
    request->commands++;
    return 0;
}

static void
on_hangup(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct queue_request *request = context;
    struct queue_client *client = request->client;
    struct err ignored = ERR_INIT;
    (void)err;
    if (queue_scripts_missing(&client->scripts, client->connection, reply))
        (void)send_cancel(request, "hangup", on_hangup, &ignored);
    (void)request_returned(request);
}

void
queue_request_cancel(struct queue_request *request)
{
    struct err err = ERR_INIT;
    request_leave(request);
    /* With Redis away nobody can be told; the job's own limits bound it. */
    if (request->submitted)
        (void)send_cancel(request, "hangup", on_hangup, &err);
    if (request->commands == 0)
        queue_request_drop(request);
}

static void
on_start_by_checked(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct queue_request *request = context;
    struct queue_client *client = request->client;
    struct err ignored = ERR_INIT;
    (void)err; /* lost or refused: the waiter and answer_by go on */
    if (request_returned(request))
        return;
    if (queue_scripts_missing(&client->scripts, client->connection, reply))
        (void)send_cancel(request, "start_by", on_start_by_checked, &ignored);
}

/* ---- answer_by has passed ---- */

struct state_row {
    const char *state;
    enum err_code code;
    const char *text;
};

static const struct state_row state_rows[] = {
    {"queued", ERR_QUEUE_TIMEOUT, "no worker was free before the job's deadline"},
    {"expired", ERR_QUEUE_TIMEOUT, "no worker was free before the job's deadline"},
    {"running", ERR_WORKER_LOST, "the worker that took the job did not answer in time"},
    {"lost", ERR_WORKER_LOST, "the worker that took the job went away"},
    {"missing", ERR_WORKER_LOST, "Redis has lost the job's record"},
};

static void
request_end_by_state(struct queue_request *request)
{
    for (size_t i = 0; i < sizeof(state_rows) / sizeof(state_rows[0]); i++) {
        if (strcmp(request->state, state_rows[i].state) == 0) {
            request_fail(request, state_rows[i].code, state_rows[i].text);
            return;
        }
    }
    request_fail(request, ERR_WORKER_LOST, "the job's answer is gone from Redis");
}

static void
on_state(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct queue_request *request = context;
    struct queue_client *client = request->client;
    size_t size;
    const char *state = redis_reply_bytes(reply, &size);
    if (request_returned(request) ||
        queue_scripts_missing(&client->scripts, client->connection, reply))
        return;
    if (err)
        request_end(request, NULL, err);
    else if (state && size < sizeof(request->state))
        memcpy(request->state, state, size + 1);
}

static void
on_last_look(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct queue_request *request = context;
    size_t size;
    const char *result = redis_reply_bytes(reply, &size);
    if (request_returned(request))
        return;
    if (err)
        request_end(request, NULL, err);
    else if (result)
        request_answer(request, result, size);
    else if (request->state[0] == '\0' && !request->asked_again) {
        request->asked_again = true; /* the script was missing; now it goes by its text */
        request_ask_state(request);
    } else
        request_end_by_state(request);
}

static void
request_ask_state(struct queue_request *request)
{
    struct queue_client *client = request->client;
    struct redis_command command;
    struct err err = ERR_INIT;
    struct queue_key key = queue_key(client->prefix, QUEUE_KEY_RESULT, request->id);
    redis_command_init(&command, "GET");
    redis_command_add_text(&command, key.text);
    request->stage = STAGE_ENDING;
    if (send_cancel(request, "answer_by", on_state, &err) < 0 ||
        redis_send(client->connection, &command, 0, on_last_look, request, &err) < 0) {
        err_wrap(&err, "at the job's deadline");
        request_end(request, NULL, &err);
        return;
    }
    request->commands++;
}

/* ---- timer ---- */

static void
arm(struct queue_request *request, uint64_t us)
{
    const struct timeval delay = {.tv_sec = (time_t)(us / 1000000),
                                  .tv_usec = (suseconds_t)(us % 1000000)};
    evtimer_add(request->timer, &delay);
}

static void
on_timer(evutil_socket_t fd, short events, void *context)
{
    struct queue_request *request = context;
    struct err err = ERR_INIT;
    (void)fd, (void)events;
    switch (request->stage) {
    case STAGE_SUBMITTING:
        request_fail(request, ERR_UNAVAILABLE, "the queue did not accept the job in time");
        return;
    case STAGE_WAITING:
        break;
    case STAGE_ENDING:
        return; /* the commands' own timeouts end it */
    }
    uint64_t now = clock_monotonic_us();
    if (now >= request->answer_by_us) {
        request_ask_state(request);
        return;
    }
    arm(request, request->answer_by_us - now);
    (void)send_cancel(request, "start_by", on_start_by_checked, &err);
}

/* ---- submission ---- */

static void
request_accept(struct queue_request *request, const struct redis_reply *reply)
{
    int64_t now_us = redis_reply_int(redis_reply_item(reply, 1), 0);
    int64_t start_by_us = redis_reply_int(redis_reply_item(reply, 2), 0) * 1000;
    int64_t answer_by_us = redis_reply_int(redis_reply_item(reply, 3), 0) * 1000;
    uint64_t start_in = start_by_us > now_us ? (uint64_t)(start_by_us - now_us) : 0;
    uint64_t answer_in = answer_by_us > now_us ? (uint64_t)(answer_by_us - now_us) : 0;
    request->stage = STAGE_WAITING;
    request->answer_by_us = clock_monotonic_us() + answer_in;
    arm(request, start_in + START_MARGIN_US);
    if (request->how.on_accepted)
        request->how.on_accepted(request->context);
}

static void
on_submitted(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct queue_request *request = context;
    struct queue_client *client = request->client;
    if (request_returned(request))
        return;
    if (queue_scripts_missing(&client->scripts, client->connection, reply)) {
        queue_request_submit(request);
        return;
    }
    if (err && !reply) {
        request->submit_lost = true; /* sent again when the connection is back */
        return;
    }
    if (err) {
        request_end(request, NULL, err);
        return;
    }
    switch (redis_reply_int(redis_reply_item(reply, 0), -1)) {
    case 1:
        request_accept(request, reply);
        return;
    case 0:
        request_fail(request, ERR_QUEUE_FULL, "the queue is full; try again in a moment");
        return;
    case -1:
        request_fail(request, ERR_REJECTED, "a job with this id is known already");
        return;
    default:
        request_fail(request, ERR_PROTOCOL, "the submit script answered with something else");
    }
}

void
queue_request_submit(struct queue_request *request)
{
    struct queue_client *client = request->client;
    struct redis_command command;
    struct err err = ERR_INIT;
    queue_script_begin(&client->scripts, QUEUE_SCRIPT_SUBMIT, &command);
    redis_command_add_text(&command, client->prefix);
    redis_command_add_text(&command, request->id);
    redis_command_add_text(&command, request->language);
    redis_command_add_int(&command, request->how.at_head ? 0 : request->how.max_depth);
    redis_command_add_int(&command, request->how.max_wait_ms);
    redis_command_add_int(&command, request->answer_ms);
    redis_command_add_int(&command, request->how.at_head);
    redis_command_add_int(&command, request->submit_lost);
    redis_command_add_bytes(&command, request->job_map.data, request->job_map.size);
    redis_command_add_bytes(&command, request->blob.data, request->blob.size);
    redis_command_add_int(&command,
                          request->how.max_attempts ? request->how.max_attempts : DEFAULT_ATTEMPTS);
    redis_command_add_text(&command, request->name);
    if (redis_send(client->connection, &command, 0, on_submitted, request, &err) < 0) {
        request->submit_lost = request->submitted;
        return;
    }
    request->submitted = true;
    request->commands++;
}

static int
request_pack(struct queue_request *request, const struct job *job, struct err *err)
{
    bool with_input = job->files.count + job->args.count + job->env.count == 0 &&
                      job->code.size + job->input.size <= INLINE_BYTES;
    if (queue_name_check("job id", job->id, JOB_ID_SIZE, err) < 0 ||
        queue_name_check("language", job->language, JOB_LANGUAGE_SIZE, err) < 0 ||
        (request->how.name &&
         queue_name_check("job name", request->how.name, JOB_ID_SIZE, err) < 0) ||
        codec_pack_job(job, with_input, &request->job_map, err) < 0)
        return -1;
    memcpy(request->id, job->id, sizeof(request->id));
    memcpy(request->language, job->language, sizeof(request->language));
    if (request->how.name)
        memcpy(request->name, request->how.name, strlen(request->how.name) + 1);
    request->how.name = NULL; /* borrowed no longer */
    return with_input ? 0 : codec_pack_blob(job, &request->blob, err);
}

struct queue_request *
queue_request_new(struct queue_client *client, const struct job *job,
                  const struct queue_submit *how, struct err *err)
{
    struct queue_request *request = calloc(1, sizeof(*request));
    if (request)
        request->timer = evtimer_new(client->base, on_timer, request);
    if (!request || !request->timer) {
        free(request);
        err_set(err, ERR_SYSTEM, 0, "no memory for a request");
        return NULL;
    }
    request->client = client;
    request->how = *how;
    request->answer_ms = job->limits.timeout_ms + ANSWER_MARGIN_MS;
    if (request_pack(request, job, err) == 0)
        request->waiter = waiter_acquire(client->waiters, request->id, on_waiter, request, err);
    if (!request->waiter) {
        request_free(request);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&client->requests, request, entry);
    client->in_flight++;
    arm(request, (uint64_t)client->submit_timeout_ms * 1000);
    return request;
}
