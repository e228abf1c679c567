/*
 * The first call asks for the SHA-1 beside sending the text. A call by SHA-1 that Redis does not
 * know is sent once more, by text, from the copy that each call keeps of its arguments.
 */
#include "common/redis_script.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"

/* EVAL or EVALSHA, the script, the number of keys. */
#define LEADING_ARGS 3

struct redis_script_call {
    LIST_ENTRY(redis_script_call) entry; /* of script->calls */
    struct redis_script *script;
    struct redis_connection *connection;
    redis_reply_fn *on_reply; /* NULL: forgotten */
    void *context;
    int count; /* of ARGV */
    size_t sizes[REDIS_COMMAND_ARGS];
    char bytes[]; /* all of ARGV, one after the other */
};

void
redis_script_begin(const struct redis_script *script, struct redis_command *command)
{
    const char *sha = script->sha;

    redis_command_init(command, sha[0] ? "EVALSHA" : "EVAL");
    redis_command_add_text(command, sha[0] ? sha : script->text);
    redis_command_add_text(command, "0");
}

static void
drop(struct redis_script_call *call)
{
    LIST_REMOVE(call, entry);
    free(call);
}

/* ---- the SHA-1 ---- */

static void
on_loaded(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct redis_script_call *call = context;
    struct redis_script *script = call->script;
    size_t size;
    const char *sha = redis_reply_bytes(reply, &size);

    if (err && reply)
        log_err(LOG_ERROR, "redis_script_refused", err);
    else if (sha && size == sizeof(script->sha) - 1)
        memcpy(script->sha, sha, size);
    drop(call);
}

/* Not asked, or no answer: the next call does it, and goes by text. */
static void
ask_sha(struct redis_script *script, struct redis_connection *connection)
{
    struct redis_script_call *call = calloc(1, sizeof(*call));
    struct redis_command command;
    struct err err = ERR_INIT;

    if (!call)
        return;
    call->script = script;
    LIST_INSERT_HEAD(&script->calls, call, entry);
    redis_command_init(&command, "SCRIPT");
    redis_command_add_text(&command, "LOAD");
    redis_command_add_text(&command, script->text);
    if (redis_send(connection, &command, 0, on_loaded, call, &err) < 0)
        drop(call);
}

/* ---- a call ---- */

static struct redis_script_call *
keep(const struct redis_command *command)
{
    struct redis_script_call *call;
    size_t size = 0;

    for (int i = LEADING_ARGS; i < command->count; i++)
        size += command->sizes[i];
    call = calloc(1, sizeof(*call) + size);
    if (!call)
        return NULL;
    size = 0;
    for (int i = LEADING_ARGS; i < command->count; i++) {
        if (command->sizes[i] > 0)
            memcpy(call->bytes + size, command->args[i], command->sizes[i]);
        size += call->sizes[call->count++] = command->sizes[i];
    }
    return call;
}

static void on_reply(void *context, const struct redis_reply *reply, const struct err *err);

static int
send_by_text(struct redis_script_call *call, struct err *err)
{
    struct redis_script *script = call->script;
    const char *bytes = call->bytes;
    struct redis_command command;

    script->sha[0] = '\0';
    ask_sha(script, call->connection);
    redis_script_begin(script, &command);
    for (int i = 0; i < call->count; i++) {
        redis_command_add_bytes(&command, bytes, call->sizes[i]);
        bytes += call->sizes[i];
    }
    return redis_send(call->connection, &command, 0, on_reply, call, err);
}

static void
on_reply(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct redis_script_call *call = context;
    struct err failed = ERR_INIT;

    if (redis_reply_is_noscript(reply)) {
        if (send_by_text(call, &failed) == 0)
            return;
        reply = NULL;
        err = &failed;
    }
    if (call->on_reply)
        call->on_reply(call->context, reply, err);
    drop(call);
}

struct redis_script_call *
redis_script_send(struct redis_script *script, struct redis_connection *connection,
                  const struct redis_command *command, redis_reply_fn *on_reply_, void *context,
                  struct err *err)
{
    struct redis_script_call *call = keep(command);

    if (!call) {
        err_set(err, ERR_SYSTEM, 0, "no memory for a call of a Redis script");
        return NULL;
    }
    call->script = script;
    call->connection = connection;
    call->on_reply = on_reply_;
    call->context = context;
    LIST_INSERT_HEAD(&script->calls, call, entry);
    if (redis_send(connection, command, 0, on_reply, call, err) < 0) {
        drop(call);
        return NULL;
    }
    if (!script->sha[0])
        ask_sha(script, connection);
    return call;
}

void
redis_script_forget(struct redis_script_call *call)
{
    call->on_reply = NULL;
}

void
redis_script_fini(struct redis_script *script)
{
    struct redis_script_call *call;

    while ((call = LIST_FIRST(&script->calls)))
        drop(call);
}
