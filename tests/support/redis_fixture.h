/*
 * A redis-server of a test's own, on a unix socket in a temporary directory.
 *
 *     struct redis_fixture redis;
 *     redis_fixture_start(&redis);            aborts the test when it cannot
 *     redis_fixture_run(&redis, "LLEN %s", key)
 *     redis_fixture_stop(&redis);
 *
 * What is asked here goes over a connection of the fixture's own, so a test sees the server as an
 * outsider does.
 */
#ifndef RETORT_REDIS_FIXTURE_H
#define RETORT_REDIS_FIXTURE_H

#include <sys/types.h>

#include <hiredis/hiredis.h>

struct redis_fixture {
    char directory[64];
    char socket[96];
    char url[112]; /* unix://... */
    pid_t pid;
    redisContext *context;
};

/* Returns when the server answers PING. Keeps its data over restarts (appendfsync always). */
void redis_fixture_start(struct redis_fixture *redis);
/* Ends the server by its pid and removes the directory. */
void redis_fixture_stop(struct redis_fixture *redis);
/* SIGKILL, which takes the connections with it; and the same server again, with its data. */
void redis_fixture_kill(struct redis_fixture *redis);
void redis_fixture_revive(struct redis_fixture *redis);
/* SIGSTOP and SIGCONT: a server that is there but does not answer. */
void redis_fixture_freeze(struct redis_fixture *redis);
void redis_fixture_thaw(struct redis_fixture *redis);

/* The reply; freed with the next command or the fixture. Format as of redisCommand(). */
redisReply *redis_fixture_run(struct redis_fixture *redis, const char *format, ...);
long long redis_fixture_int(struct redis_fixture *redis, const char *format, ...);
/* Keys that would stay for ever. */
int redis_fixture_keys_without_expiry(struct redis_fixture *redis);

#endif
