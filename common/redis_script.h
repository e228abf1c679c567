/*
 * A script that Redis runs, and calling it: by SHA-1 once Redis has told it, by text before that
 * and after Redis has lost its scripts, without the caller seeing any of it.
 *
 *     REDIS_SCRIPT_EMBED(rate_text, "api/scripts/rate.lua");
 *     struct redis_script script = REDIS_SCRIPT_INIT(rate_text);
 *
 *     redis_script_begin(&script, &command);
 *     redis_command_add_text(&command, ...);            ARGV[1] and so on
 *     call = redis_script_send(&script, connection, &command, on_reply, context, &err);
 *
 *     redis_script_forget(call);                        whoever waited is gone
 */
#ifndef RETORT_REDIS_SCRIPT_H
#define RETORT_REDIS_SCRIPT_H

#include <sys/queue.h>

#include "common/redis.h"

/* The bytes of file, by its path from the repository's root, as a NUL-terminated string. */
#define REDIS_SCRIPT_EMBED(symbol, file)                                                           \
    __asm__(".pushsection .rodata\n" #symbol ":\n"                                                 \
            ".incbin \"" file "\"\n"                                                               \
            ".byte 0\n"                                                                            \
            ".popsection\n");                                                                      \
    extern const char symbol[] __attribute__((visibility("hidden")))

/* Two files, one after the other. */
#define REDIS_SCRIPT_EMBED_TWO(symbol, first, second)                                              \
    __asm__(".pushsection .rodata\n" #symbol ":\n"                                                 \
            ".incbin \"" first "\"\n"                                                              \
            ".incbin \"" second "\"\n"                                                             \
            ".byte 0\n"                                                                            \
            ".popsection\n");                                                                      \
    extern const char symbol[] __attribute__((visibility("hidden")))

struct redis_script_call;

struct redis_script {
    const char *text;                                       /* static */
    char sha[41];                                           /* "": not known */
    LIST_HEAD(redis_script_calls, redis_script_call) calls; /* under way */
};

#define REDIS_SCRIPT_INIT(text_)                                                                   \
    {                                                                                              \
        .text = (text_)                                                                            \
    }

/* Keys and values are all ARGV, the caller's to add; there are no KEYS. */
void redis_script_begin(const struct redis_script *script, struct redis_command *command);
/*
 * Calls the script; what was added to command is copied. on_reply as of redis_send(): once, never
 * before this returns. The handle is valid until then. NULL and err: not sent. script and
 * connection must outlive the call, or redis_script_fini() must end it.
 */
struct redis_script_call *redis_script_send(struct redis_script *script,
                                            struct redis_connection *connection,
                                            const struct redis_command *command,
                                            redis_reply_fn *on_reply, void *context,
                                            struct err *err);
/* on_reply will not be called; Redis may run the script all the same. */
void redis_script_forget(struct redis_script_call *call);
/* After the connection is freed: drops the calls that it had, calling nobody. */
void redis_script_fini(struct redis_script *script);

#endif
