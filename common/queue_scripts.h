/*
 * The five server-side scripts (queue_scripts/), and calling them: by SHA-1 as soon as Redis has
 * told it, by text before that and after Redis has lost its scripts.
 *
 *     queue_script_begin(&scripts, QUEUE_SCRIPT_CLAIM, &command);
 *     redis_command_add_text(&command, ...);            ARGV[1] and so on
 *     redis_send(connection, &command, 0, on_reply, context, &err);
 *
 *     on_reply: if (queue_scripts_missing(&scripts, connection, reply)) send it once more;
 */
#ifndef RETORT_QUEUE_SCRIPTS_H
#define RETORT_QUEUE_SCRIPTS_H

#include "common/redis.h"

enum queue_script {
    QUEUE_SCRIPT_SUBMIT,
    QUEUE_SCRIPT_CLAIM,
    QUEUE_SCRIPT_FINISH,
    QUEUE_SCRIPT_CANCEL,
    QUEUE_SCRIPT_REAP,
    QUEUE_SCRIPT_COUNT
};

struct queue_scripts {
    struct queue_script_sha {
        char text[41]; /* "": not known */
    } sha[QUEUE_SCRIPT_COUNT];
};

/* Has Redis load all of them; scripts must outlive the connection. */
void queue_scripts_load(struct queue_scripts *scripts, struct redis_connection *connection);
/* EVALSHA or EVAL, without keys; ARGV is the caller's to add. */
void queue_script_begin(const struct queue_scripts *scripts, enum queue_script script,
                        struct redis_command *command);
/* Whether reply says that Redis lacks the script. Then they are loaded again over connection, and
 * until that is done commands carry the text. */
bool queue_scripts_missing(struct queue_scripts *scripts, struct redis_connection *connection,
                           const struct redis_reply *reply);
/* The whole text. Static. */
const char *queue_script_text(enum queue_script script);

#endif
