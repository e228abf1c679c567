#include "common/queue_scripts.h"

#include <string.h>

#include "common/log.h"

/*
 * Each script's text as one NUL-terminated string in this program: common.lua, for some
 * ownership.lua, and its own file.
 */
#define PART(name) ".incbin \"common/queue_scripts/" name ".lua\"\n"
#define EMBED(name, parts)                                                                         \
    __asm__(".pushsection .rodata\n"                                                               \
            "queue_script_" #name ":\n" PART("common") parts PART(#name) ".byte 0\n"               \
                                                                         ".popsection\n");         \
    extern const char queue_script_##name[] __attribute__((visibility("hidden")))

EMBED(submit, "");
EMBED(claim, PART("ownership"));
EMBED(finish, "");
EMBED(cancel, "");
EMBED(reap, PART("ownership"));

const char *
queue_script_text(enum queue_script script)
{
    switch (script) {
    case QUEUE_SCRIPT_SUBMIT:
        return queue_script_submit;
    case QUEUE_SCRIPT_CLAIM:
        return queue_script_claim;
    case QUEUE_SCRIPT_FINISH:
        return queue_script_finish;
    case QUEUE_SCRIPT_CANCEL:
        return queue_script_cancel;
    case QUEUE_SCRIPT_REAP:
        return queue_script_reap;
    case QUEUE_SCRIPT_COUNT:
        break;
    }
    return "";
}

static void
on_loaded(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct queue_script_sha *sha = context;
    size_t size;
    const char *text = redis_reply_bytes(reply, &size);
    if (err && reply) {
        log_err(LOG_ERROR, "queue_script_refused", err); /* a call by text will say so, too */
        return;
    }
    if (!text || size != sizeof(sha->text) - 1)
        return;
    memcpy(sha->text, text, size);
    sha->text[size] = '\0';
}

void
queue_scripts_load(struct queue_scripts *scripts, struct redis_connection *connection)
{
    for (int i = 0; i < QUEUE_SCRIPT_COUNT; i++) {
        struct redis_command command;
        struct err err = ERR_INIT;
        scripts->sha[i].text[0] = '\0';
        redis_command_init(&command, "SCRIPT");
        redis_command_add_text(&command, "LOAD");
        redis_command_add_text(&command, queue_script_text((enum queue_script)i));
        if (redis_send(connection, &command, 0, on_loaded, &scripts->sha[i], &err) < 0)
            return; /* the connection is going down; they are loaded when it is up again */
    }
}

void
queue_script_begin(const struct queue_scripts *scripts, enum queue_script script,
                   struct redis_command *command)
{
    const char *sha = scripts->sha[script].text;
    redis_command_init(command, sha[0] ? "EVALSHA" : "EVAL");
    redis_command_add_text(command, sha[0] ? sha : queue_script_text(script));
    redis_command_add_text(command, "0");
}

bool
queue_scripts_missing(struct queue_scripts *scripts, struct redis_connection *connection,
                      const struct redis_reply *reply)
{
    if (!redis_reply_is_noscript(reply))
        return false;
    LOG(LOG_INFO, "queue_scripts_reloaded", {"reason", LOG_STR("NOSCRIPT")});
    queue_scripts_load(scripts, connection);
    return true;
}
