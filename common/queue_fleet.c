/*
 * The API's eye on all queues and workers: every half second the reap script's sweep, which takes
 * over what dead workers have left and says what the live ones do.
 */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/queue_client_internal.h"
#include "common/queue_counts.h"

#define SWEEP_US 500000

static uint32_t
number(const struct redis_reply *row, size_t index)
{
    int64_t n = redis_reply_int(redis_reply_item(row, index), 0);
    return n < 0 ? 0 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void
read_language(struct queue_fleet *fleet, const struct redis_reply *row)
{
    size_t size;
    const char *name = redis_reply_bytes(redis_reply_item(row, 0), &size);
    struct queue_language *language = &fleet->languages[fleet->language_count];
    if (!name || size >= sizeof(language->name) || fleet->language_count == QUEUE_LANGUAGES_MOST)
        return;
    memcpy(language->name, name, size + 1);
    language->depth = number(row, 1);
    language->workers = number(row, 2);
    language->slots = number(row, 3);
    language->busy = number(row, 4);
    fleet->language_count++;
}

static void
on_swept(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct queue_client *client = context;
    struct queue_fleet *fleet = &client->fleet;
    struct queue_counts counts;
    client->sweeping = false;
    if (queue_scripts_missing(&client->scripts, client->connection, reply))
        return;
    if (err) {
        if (reply)
            log_err(LOG_ERROR, "queue_sweep_failed", err);
        return;
    }
    queue_counts_read(&counts, redis_reply_item(reply, 0));
    queue_counts_log(&counts);
    fleet->retried += (uint64_t)counts.retried;
    fleet->lost += (uint64_t)counts.lost;
    fleet->expired += (uint64_t)counts.expired;
    fleet->dead_letters = number(reply, 1);
    fleet->workers = number(reply, 2);
    fleet->language_count = 0;
    for (size_t i = 3; i < redis_reply_count(reply); i++)
        read_language(fleet, redis_reply_item(reply, i));
    fleet->seen_us = clock_monotonic_us();
}

void
queue_fleet_sweep(struct queue_client *client)
{
    struct redis_command command;
    struct err err = ERR_INIT;
    if (client->sweeping || !redis_connection_up(client->connection))
        return;
    queue_script_begin(&client->scripts, QUEUE_SCRIPT_REAP, &command);
    redis_command_add_text(&command, client->prefix);
    redis_command_add_text(&command, "sweep");
    redis_command_add_int(&command, QUEUE_BEAT_EXPIRY_MS);
    redis_command_add_text(&command, client->languages);
    client->sweeping = redis_send(client->connection, &command, 0, on_swept, client, &err) == 0;
}

static void
on_timer(evutil_socket_t fd, short events, void *context)
{
    (void)fd, (void)events;
    queue_fleet_sweep(context);
}

int
queue_fleet_start(struct queue_client *client, struct err *err)
{
    static const char *const languages[] = {"python", NULL};
    const struct timeval interval = {.tv_usec = SWEEP_US};
    client->sweep_timer = event_new(client->base, -1, EV_PERSIST, on_timer, client);
    if (!client->sweep_timer || event_add(client->sweep_timer, &interval) < 0)
        return err_set(err, ERR_SYSTEM, 0, "no memory for the queue's client");
    return queue_client_set_languages(client, languages, err);
}

int
queue_client_set_languages(struct queue_client *client, const char *const *languages,
                           struct err *err)
{
    size_t used = 0;
    client->languages[0] = '\0';
    for (size_t i = 0; languages[i]; i++) {
        size_t size = strlen(languages[i]);
        if (queue_name_check("language", languages[i], JOB_LANGUAGE_SIZE, err) < 0)
            return -1;
        if (i == QUEUE_LANGUAGES_MOST)
            return err_set(err, ERR_CONFIG, 0, "more than %d languages", QUEUE_LANGUAGES_MOST);
        memcpy(client->languages + used, languages[i], size);
        memcpy(client->languages + used + size, ",", 2);
        used += size + 1;
    }
    return 0;
}

const struct queue_fleet *
queue_client_fleet(const struct queue_client *client)
{
    return &client->fleet;
}
