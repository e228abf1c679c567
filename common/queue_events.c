/*
 * Entries go over the connection that also carries results, so that they are in order with them.
 * An expiry follows each: a stream is gone soon after nobody can want the answer any more.
 */
#include "common/queue_events.h"

#include "common/clock.h"
#include "common/queue_worker_internal.h"

/* A job that writes at every look for longer than five minutes loses the beginning. */
#define ENTRIES_MOST     10000
/* After the deadline of the answer. */
#define KEEP_MS          60000
/* With so many commands unanswered, results are more urgent. */
#define OUTSTANDING_MOST 256

static void
on_told(void *context, const struct redis_reply *reply, const struct err *err)
{
    (void)context, (void)reply, (void)err; /* told in passing */
}

static int
begin(const struct queue_worker *worker, const struct queue_claim *claim, const char *kind,
      struct redis_command *command, struct queue_key *key)
{
    if (redis_connection_outstanding(worker->connection) >= OUTSTANDING_MOST)
        return -1;
    *key = queue_key(worker->prefix, QUEUE_KEY_EVENTS, claim->job.id);
    redis_command_init(command, "XADD");
    redis_command_add_text(command, key->text);
    redis_command_add_text(command, "MAXLEN");
    redis_command_add_text(command, "~");
    redis_command_add_int(command, ENTRIES_MOST);
    redis_command_add_text(command, "*");
    redis_command_add_text(command, "k");
    redis_command_add_text(command, kind);
    return 0;
}

static int
add(struct queue_worker *worker, const struct queue_claim *claim,
    const struct redis_command *command, const struct queue_key *key)
{
    struct redis_command expire;
    struct err err = ERR_INIT;
    uint64_t now_us = clock_monotonic_us();
    uint64_t left_us = claim->answer_by_us > now_us ? claim->answer_by_us - now_us : 0;

    if (redis_send(worker->connection, command, 0, on_told, NULL, &err) < 0)
        return -1;
    redis_command_init(&expire, "PEXPIRE");
    redis_command_add_text(&expire, key->text);
    redis_command_add_int(&expire, (int64_t)(left_us / 1000) + KEEP_MS);
    return redis_send(worker->connection, &expire, 0, on_told, NULL, &err);
}

int
queue_worker_tell_start(struct queue_worker *worker, const struct queue_claim *claim)
{
    struct redis_command command;
    struct queue_key key;

    if (begin(worker, claim, "start", &command, &key) < 0)
        return -1;
    redis_command_add_text(&command, "n");
    redis_command_add_int(&command, claim->attempts);
    return add(worker, claim, &command, &key);
}

int
queue_worker_tell_output(struct queue_worker *worker, const struct queue_claim *claim,
                         const struct queue_output *output)
{
    struct redis_command command;
    struct queue_key key;

    if (begin(worker, claim, output->stream == 0 ? "out" : "err", &command, &key) < 0)
        return -1;
    redis_command_add_text(&command, "at");
    redis_command_add_int(&command, (int64_t)output->offset);
    redis_command_add_text(&command, "d");
    redis_command_add_bytes(&command, output->data, output->size);
    return add(worker, claim, &command, &key);
}

int
queue_worker_tell_end(struct queue_worker *worker, const struct queue_claim *claim)
{
    struct redis_command command;
    struct queue_key key;

    if (begin(worker, claim, "end", &command, &key) < 0)
        return -1;
    return add(worker, claim, &command, &key);
}
