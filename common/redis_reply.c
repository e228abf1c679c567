#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "common/redis.h"
#include "common/redis_internal.h"

/* ---- commands ---- */

void
redis_command_init(struct redis_command *command, const char *name)
{
    command->count = 0;
    redis_command_add_text(command, name);
}

void
redis_command_add_bytes(struct redis_command *command, const void *data, size_t size)
{
    if (command->count == REDIS_COMMAND_ARGS)
        return; /* redis_send() refuses a full command */
    command->args[command->count] = data ? data : "";
    command->sizes[command->count] = size;
    command->count++;
}

void
redis_command_add_text(struct redis_command *command, const char *text)
{
    redis_command_add_bytes(command, text, strlen(text));
}

void
redis_command_add_int(struct redis_command *command, int64_t number)
{
    if (command->count == REDIS_COMMAND_ARGS)
        return;
    char *text = command->numbers[command->count];
    snprintf(text, sizeof(command->numbers[0]), "%" PRId64, number);
    redis_command_add_text(command, text);
}

/* ---- replies ---- */

/* struct redis_reply is never defined: it is hiredis's own reply under a name of ours. */
static const redisReply *
raw(const struct redis_reply *reply)
{
    return (const redisReply *)(const void *)reply;
}

static bool
has_type(const struct redis_reply *reply, int type)
{
    return reply && raw(reply)->type == type;
}

bool
redis_reply_is_nil(const struct redis_reply *reply)
{
    return has_type(reply, REDIS_REPLY_NIL);
}

bool
redis_reply_is_noscript(const struct redis_reply *reply)
{
    return has_type(reply, REDIS_REPLY_ERROR) && strncmp(raw(reply)->str, "NOSCRIPT", 8) == 0;
}

const char *
redis_reply_bytes(const struct redis_reply *reply, size_t *size)
{
    *size = 0;
    if (!has_type(reply, REDIS_REPLY_STRING) && !has_type(reply, REDIS_REPLY_STATUS))
        return NULL;
    *size = raw(reply)->len;
    return raw(reply)->str;
}

int64_t
redis_reply_int(const struct redis_reply *reply, int64_t fallback)
{
    return has_type(reply, REDIS_REPLY_INTEGER) ? raw(reply)->integer : fallback;
}

size_t
redis_reply_count(const struct redis_reply *reply)
{
    return has_type(reply, REDIS_REPLY_ARRAY) ? raw(reply)->elements : 0;
}

const struct redis_reply *
redis_reply_item(const struct redis_reply *reply, size_t index)
{
    if (index >= redis_reply_count(reply))
        return NULL;
    return (const struct redis_reply *)(const void *)raw(reply)->element[index];
}

/* ---- errors ---- */

struct error_row {
    const char *word;
    enum err_code code;
    const char *sentence;
};

/* Redis 6 puts the word inside "Error running script", Redis 7 in front. */
static const struct error_row error_rows[] = {
    {"OOM", ERR_UNAVAILABLE, "Redis has reached its memory limit"},
    {"READONLY", ERR_UNAVAILABLE, "Redis is a read-only replica"},
    {"LOADING", ERR_UNAVAILABLE, "Redis is still loading its data"},
    {"NOAUTH", ERR_UNAVAILABLE, "Redis wants a password, and REDIS_URL has none"},
    {"WRONGPASS", ERR_UNAVAILABLE, "Redis refused the user or password of REDIS_URL"},
    {"invalid password", ERR_UNAVAILABLE, "Redis refused the password of REDIS_URL"},
    {"AUTH <password> called", ERR_UNAVAILABLE, "REDIS_URL has a password, but Redis wants none"},
    {"NOPERM", ERR_UNAVAILABLE, "Redis does not permit its user the commands that are needed"},
    {"MISCONF", ERR_UNAVAILABLE, "Redis refuses writes since it cannot save them"},
    {"MASTERDOWN", ERR_UNAVAILABLE, "Redis has lost its master"},
    {"CLUSTERDOWN", ERR_UNAVAILABLE, "the Redis cluster is down"},
    {"BUSY", ERR_UNAVAILABLE, "Redis is busy with a script"},
    {"max number of clients", ERR_UNAVAILABLE, "Redis has no more connections to give"},
    {"WRONGTYPE", ERR_PROTOCOL, "a key of the queue holds a foreign type of value"},
    {"NOSCRIPT", ERR_PROTOCOL, "Redis does not have the script"},
    {"unknown command", ERR_PROTOCOL, "Redis is older than 6.2, or lacks a command"},
};

int
redis_error_describe(const char *text, struct err *err)
{
    for (size_t i = 0; i < sizeof(error_rows) / sizeof(error_rows[0]); i++)
        if (strstr(text, error_rows[i].word))
            return err_set(err, error_rows[i].code, 0, "%s (%.160s)", error_rows[i].sentence, text);
    return err_set(err, ERR_PROTOCOL, 0, "Redis answered with an error (%.200s)", text);
}
