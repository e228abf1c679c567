/*
 * A command's connection to Redis, and waiting on it: commands are sent, their replies read in
 * callbacks while session_wait() turns the loop.
 *
 *     session_send(&session, &command, on_reply, context);
 *     if (session_wait(&session, err) < 0) ...
 *
 * The first failure of the connection is the end: nothing is tried again.
 */
#ifndef RETORT_SESSION_H
#define RETORT_SESSION_H

#include <event2/event.h>

#include "common/config.h"
#include "common/queue_keys.h"
#include "common/redis.h"

struct session {
    struct event_base *base;
    struct redis_url url;
    struct redis_connection *connection;
    char prefix[QUEUE_PREFIX_SIZE];
    bool up, down;
    struct err why; /* it is down */
};

/* Connects, within seconds. -1: CONFIG, or UNAVAILABLE: Redis cannot be reached. session_close()
 * also then. */
int session_open(struct session *session, const struct config *config, struct err *err);
void session_close(struct session *session);

/* on_reply also gets error replies, and what is under way when the connection dies. */
void session_send(struct session *session, const struct redis_command *command,
                  redis_reply_fn *on_reply, void *context);
/* words: NULL-terminated. */
void session_ask(struct session *session, const char *const words[], redis_reply_fn *on_reply,
                 void *context);
/* Redis's clock, in microseconds since the epoch; there when the session has waited. */
void session_ask_time(struct session *session, int64_t *now_us);
/* Until every command is answered. -1: UNAVAILABLE. */
int session_wait(struct session *session, struct err *err);
int session_sleep(struct session *session, unsigned ms, struct err *err);

/* "<prefix><kind><name>"; kind as "worker:". */
struct queue_key session_key(const struct session *session, const char *kind, const char *name);

#endif
