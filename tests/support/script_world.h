/* A Redis with the queue's scripts, called one by one as both daemons do; keys begin with "t:". */
#ifndef RETORT_SCRIPT_WORLD_H
#define RETORT_SCRIPT_WORLD_H

#include "common/bytes.h"
#include "common/queue_scripts.h"
#include "tests/support/redis_fixture.h"

#define ID   "0123456789abcdef0123456789abcdef"
#define MAP  "\x80"
#define LATE "1000" /* a deadline of 1970 */
#define FAR  "99999999999999"

/* The one argument of a call that holds NUL bytes: an element. */
extern struct bytes script_binary;

/* For cmocka: one Redis for all tests of a program, emptied before each. */
int script_world_setup(void **state);
int script_world_teardown(void **state);
int script_world_flush(void **state);

/* EVAL with the prefix and up to 12 further arguments. The reply is valid until the next call. */
redisReply *script_call(struct redis_fixture *redis, enum queue_script script, unsigned count,
                        const char *const *further);
#define SCRIPT(redis, script, ...)                                                                 \
    script_call(redis, script, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),             \
                (const char *[]){__VA_ARGS__})

/* A python job with nothing in it. */
void script_submit(struct redis_fixture *redis, const char *id);
/* What a BLMOVE of worker w1 does. */
void script_move(struct redis_fixture *redis);
/* The state of job ID, or "missing". */
const char *script_state(struct redis_fixture *redis);
/* The head of w1's in-flight list; valid until the next call of this. */
const char *script_element(struct redis_fixture *redis);
/* A sweep by a process that has swept before. */
redisReply *script_sweep(struct redis_fixture *redis);
/* A worker's last beat. */
void script_note_beat(struct redis_fixture *redis, const char *worker, const char *ms);

#endif
