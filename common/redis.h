/*
 * A connection to Redis on the daemon's libevent loop, which comes back by itself. This module is
 * the only one that knows hiredis.
 *
 *     struct redis_command command;
 *     redis_command_init(&command, "GET");
 *     redis_command_add_text(&command, key);
 *     if (redis_send(connection, &command, 0, on_reply, context, &err) < 0) ...
 *
 * A connection is up or down. While it is down redis_send() fails at once; a command that was
 * accepted gets its callback exactly once: with the reply, or with UNAVAILABLE when the connection
 * died first (whether Redis has executed it is then unknown). Never before redis_send() returns.
 *
 * Commands sent from one round of the loop leave in one write. The program must ignore SIGPIPE.
 */
#ifndef RETORT_REDIS_H
#define RETORT_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "common/err.h"
#include "common/redis_url.h"

struct redis_connection;

struct redis_options {
    const struct redis_url *url; /* borrowed for the connection's life */
    const char *name;            /* for log lines, borrowed; NULL: do not log */
    uint32_t connect_timeout_ms; /* from the first packet to the end of AUTH and SELECT */
    uint32_t command_timeout_ms; /* for a reply, beyond the time that a command may block */
    void (*on_up)(void *context);
    void (*on_down)(void *context, const struct err *err); /* was up, or could not come up */
    void *context;
};

/* Connects in the background, and again for ever after, with backoff and jitter. */
struct redis_connection *redis_connection_new(struct event_base *base,
                                              const struct redis_options *options, struct err *err);
/* Forgets outstanding commands: no callback is called any more. May be called in a callback. */
void redis_connection_free(struct redis_connection *connection);
bool redis_connection_up(const struct redis_connection *connection);
/* Commands whose callback has not been called yet. */
uint32_t redis_connection_outstanding(const struct redis_connection *connection);

/* ---- commands ---- */

#define REDIS_COMMAND_ARGS 40

/* Borrows what is added until redis_send(), except numbers. */
struct redis_command {
    int count;
    const char *args[REDIS_COMMAND_ARGS];
    size_t sizes[REDIS_COMMAND_ARGS];
    char numbers[REDIS_COMMAND_ARGS][24];
};

void redis_command_init(struct redis_command *command, const char *name);
void redis_command_add_text(struct redis_command *command, const char *text);
void redis_command_add_bytes(struct redis_command *command, const void *data, size_t size);
void redis_command_add_int(struct redis_command *command, int64_t number);

struct redis_reply;

/*
 * reply is borrowed for the call. err NULL: a reply that is no error. Otherwise err says what to
 * tell people; reply is then NULL (connection died) or the error reply.
 */
typedef void redis_reply_fn(void *context, const struct redis_reply *reply, const struct err *err);

/* block_ms: how long the command itself may block in Redis; 0 for those that do not. */
int redis_send(struct redis_connection *connection, const struct redis_command *command,
               uint32_t block_ms, redis_reply_fn *on_reply, void *context, struct err *err);

/* ---- replies; each is safe on NULL and on a reply of another type ---- */

bool redis_reply_is_nil(const struct redis_reply *reply);
/* The error reply that EVALSHA gets when Redis does not have the script. */
bool redis_reply_is_noscript(const struct redis_reply *reply);
/* Bytes of a string, NULL when it is none. Borrowed. */
const char *redis_reply_bytes(const struct redis_reply *reply, size_t *size);
/* An integer reply, or fallback. */
int64_t redis_reply_int(const struct redis_reply *reply, int64_t fallback);
size_t redis_reply_count(const struct redis_reply *reply);
/* Element of an array reply, NULL beyond its end. Borrowed. */
const struct redis_reply *redis_reply_item(const struct redis_reply *reply, size_t index);

#endif
