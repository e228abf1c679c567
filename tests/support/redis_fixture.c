#include "tests/support/redis_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_TRIES    2000
#define READY_SLICE_NS 5000000

static redisReply *last_reply;

static void
give_up(const char *what)
{
    fprintf(stderr, "redis fixture: %s: %s\n", what, strerror(errno));
    abort();
}

static void
forget_reply(void)
{
    if (last_reply)
        freeReplyObject(last_reply);
    last_reply = NULL;
}

/* Debian's redis-tools has the server, too, as a program that acts by the name it is given. */
static void
exec_server(const struct redis_fixture *redis)
{
    static const char *const programs[] = {"redis-server", "redis-check-rdb"};
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlives the test */
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
        execlp(programs[i], "redis-server", "--port", "0", "--unixsocket", redis->socket, "--dir",
               redis->directory, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
               "--loglevel", "warning", "--logfile", "redis.log", (char *)NULL);
    _exit(127);
}

static int
answers(struct redis_fixture *redis)
{
    redis->context = redisConnectUnix(redis->socket);
    if (redis->context && !redis->context->err) {
        redisReply *reply = redisCommand(redis->context, "PING");
        int ready = reply && reply->type == REDIS_REPLY_STATUS;
        if (reply)
            freeReplyObject(reply);
        if (ready)
            return 1;
    }
    if (redis->context)
        redisFree(redis->context);
    redis->context = NULL;
    return 0;
}

void
redis_fixture_revive(struct redis_fixture *redis)
{
    redis->pid = fork();
    if (redis->pid < 0)
        give_up("fork");
    if (redis->pid == 0)
        exec_server(redis);
    for (int i = 0; i < READY_TRIES; i++) {
        if (answers(redis))
            return;
        if (waitpid(redis->pid, NULL, WNOHANG) == redis->pid)
            give_up("redis-server ended at once");
        nanosleep(&(struct timespec){.tv_nsec = READY_SLICE_NS}, NULL);
    }
    give_up("redis-server does not answer");
}

void
redis_fixture_start(struct redis_fixture *redis)
{
    memset(redis, 0, sizeof(*redis));
    snprintf(redis->directory, sizeof(redis->directory), "/tmp/retort-redis-XXXXXX");
    if (!mkdtemp(redis->directory))
        give_up("mkdtemp");
    snprintf(redis->socket, sizeof(redis->socket), "%s/redis.sock", redis->directory);
    snprintf(redis->url, sizeof(redis->url), "unix://%s", redis->socket);
    redis_fixture_revive(redis);
}

void
redis_fixture_kill(struct redis_fixture *redis)
{
    forget_reply();
    if (redis->context)
        redisFree(redis->context);
    redis->context = NULL;
    if (redis->pid > 0) {
        kill(redis->pid, SIGKILL);
        waitpid(redis->pid, NULL, 0);
    }
    redis->pid = 0;
}

void
redis_fixture_stop(struct redis_fixture *redis)
{
    char command[160];
    redis_fixture_kill(redis);
    snprintf(command, sizeof(command), "rm -rf '%s'", redis->directory);
    if (system(command) != 0)
        give_up(command);
}

void
redis_fixture_freeze(struct redis_fixture *redis)
{
    kill(redis->pid, SIGSTOP);
}

void
redis_fixture_thaw(struct redis_fixture *redis)
{
    kill(redis->pid, SIGCONT);
}

static redisReply *
run(struct redis_fixture *redis, const char *format, va_list ap)
{
    forget_reply();
    last_reply = redisvCommand(redis->context, format, ap);
    if (!last_reply)
        give_up(redis->context->errstr);
    return last_reply;
}

redisReply *
redis_fixture_run(struct redis_fixture *redis, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    redisReply *reply = run(redis, format, ap);
    va_end(ap);
    return reply;
}

long long
redis_fixture_int(struct redis_fixture *redis, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    redisReply *reply = run(redis, format, ap);
    va_end(ap);
    if (reply->type != REDIS_REPLY_INTEGER)
        give_up(reply->str ? reply->str : "reply is not an integer");
    return reply->integer;
}

int
redis_fixture_keys_without_expiry(struct redis_fixture *redis)
{
    int count = 0;
    redisReply *keys = redisCommand(redis->context, "KEYS *");
    for (size_t i = 0; keys && i < keys->elements; i++) {
        if (redis_fixture_int(redis, "PTTL %s", keys->element[i]->str) == -1) {
            fprintf(stderr, "key without expiry: %s\n", keys->element[i]->str);
            count++;
        }
    }
    if (keys)
        freeReplyObject(keys);
    return count;
}
