#include <stdlib.h>

#include "common/queue_client_internal.h"

/* Records of answered jobs are deleted after this at the latest. */
#define DONE_WAIT_US 50000

static void
on_nothing(void *context, const struct redis_reply *reply, const struct err *err)
{
    (void)context, (void)reply, (void)err;
}

static void
delete_done(evutil_socket_t fd, short events, void *context)
{
    struct queue_client *client = context;
    struct redis_command command;
    struct err err = ERR_INIT;
    (void)fd, (void)events;
    evtimer_del(client->done_timer);
    redis_command_init(&command, "UNLINK");
    for (unsigned i = 0; i < client->done_count; i++)
        redis_command_add_text(&command, client->done[i].text);
    client->done_count = 0;
    /* Not sent, or lost: they expire by themselves. */
    (void)redis_send(client->connection, &command, 0, on_nothing, NULL, &err);
}

void
queue_client_note_done(struct queue_client *client, const char *id)
{
    const struct timeval delay = {.tv_usec = DONE_WAIT_US};
    client->done[client->done_count++] = queue_key(client->prefix, QUEUE_KEY_RESULT, id);
    client->done[client->done_count++] = queue_key(client->prefix, QUEUE_KEY_JOB, id);
    if (client->done_count == QUEUE_DONE_COUNT * 2)
        delete_done(-1, 0, client);
    else if (client->done_count == 2)
        evtimer_add(client->done_timer, &delay);
}

struct queue_request *
queue_submit(struct queue_client *client, const struct job *job, const struct queue_submit *how,
             queue_answer_fn *on_answer, void *context, struct err *err)
{
    if (!redis_connection_up(client->connection)) {
        err_set(err, ERR_UNAVAILABLE, 0, "%s", err_code_text(ERR_UNAVAILABLE));
        return NULL;
    }
    if (client->in_flight >= client->max_in_flight) {
        err_set(err, ERR_QUEUE_FULL, 0, "too many requests are waiting for their result");
        return NULL;
    }
    struct queue_request *request = queue_request_new(client, job, how, err);
    if (!request)
        return NULL;
    request->on_answer = on_answer;
    request->context = context;
    queue_request_submit(request);
    return request;
}

static void
on_up(void *context)
{
    struct queue_client *client = context;
    struct queue_request *request;
    queue_fitness_ask(&client->fitness, client->connection);
    queue_scripts_load(&client->scripts, client->connection);
    client->sweeping = false;
    queue_fleet_sweep(client);
    TAILQ_FOREACH(request, &client->requests, entry)
    if (request->stage == STAGE_SUBMITTING && request->commands == 0)
        queue_request_submit(request);
}

/* Some are still coming back from a request that has ended. */
static uint32_t
waiters_most(uint32_t max_in_flight)
{
    return max_in_flight + max_in_flight / 2 + 8;
}

uint32_t
queue_client_connections_most(uint32_t max_in_flight)
{
    return waiters_most(max_in_flight) + 1;
}

static int
open_connections(struct queue_client *client, const struct queue_options *options, struct err *err)
{
    const struct redis_options shared = {
        .url = &client->url,
        .name = "queue",
        .connect_timeout_ms = options->connect_timeout_ms,
        .command_timeout_ms = options->command_timeout_ms,
        .on_up = on_up,
        .context = client,
    };
    struct waiter_pool_options pool = {
        .redis = shared,
        .prefix = client->prefix,
        .maximum = waiters_most(client->max_in_flight),
    };
    pool.redis.name = NULL;
    client->fitness = (struct queue_fitness){
        .connections = (queue_client_connections_most(client->max_in_flight) + options->others) *
                       (options->siblings + 1),
        .on_unfit = options->on_unfit,
        .context = options->context};
    client->done_timer = evtimer_new(client->base, delete_done, client);
    if (!client->done_timer)
        return err_set(err, ERR_SYSTEM, 0, "no memory for the queue's client");
    client->connection = redis_connection_new(client->base, &shared, err);
    if (!client->connection)
        return -1;
    client->waiters = waiter_pool_new(client->base, &pool, err);
    return client->waiters ? queue_fleet_start(client, err) : -1;
}

struct queue_client *
queue_client_new(struct event_base *base, const struct queue_options *options,
                 uint32_t max_in_flight, struct err *err)
{
    struct queue_client *client = calloc(1, sizeof(*client));
    if (!client) {
        err_set(err, ERR_SYSTEM, 0, "no memory for the queue's client");
        return NULL;
    }
    TAILQ_INIT(&client->requests);
    TAILQ_INIT(&client->ended);
    LIST_INIT(&client->cancels);
    client->base = base;
    client->max_in_flight = max_in_flight;
    client->submit_timeout_ms = options->connect_timeout_ms + options->command_timeout_ms;
    if (queue_prefix_copy(client->prefix, options->prefix, err) < 0 ||
        redis_url_parse(&client->url, options->redis_url, err) < 0 ||
        open_connections(client, options, err) < 0) {
        queue_client_free(client);
        return NULL;
    }
    return client;
}

void
queue_client_free(struct queue_client *client)
{
    if (!client)
        return;
    redis_connection_free(client->connection); /* no command calls back from here on */
    while (!TAILQ_EMPTY(&client->requests))
        queue_request_drop(TAILQ_FIRST(&client->requests));
    while (!TAILQ_EMPTY(&client->ended))
        queue_request_drop(TAILQ_FIRST(&client->ended));
    queue_cancel_drop_all(client);
    waiter_pool_free(client->waiters);
    if (client->done_timer)
        event_free(client->done_timer);
    if (client->sweep_timer)
        event_free(client->sweep_timer);
    redis_url_fini(&client->url);
    free(client);
}

bool
queue_client_connected(const struct queue_client *client)
{
    return redis_connection_up(client->connection);
}

uint32_t
queue_client_in_flight(const struct queue_client *client)
{
    return client->in_flight;
}
