/* One connection to Redis on a loop of its own, and what it reports; for the tests of redis.c. */
#ifndef RETORT_REDIS_WORLD_H
#define RETORT_REDIS_WORLD_H

#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "common/redis.h"
#include "tests/support/redis_fixture.h"

struct redis_world {
    struct redis_fixture redis;
    struct event_base *base;
    struct redis_url url;
    struct redis_connection *connection;
    unsigned ups, downs;
    char down_text[320];
    unsigned replies, errors, nulls; /* calls of on_reply by kind */
    int64_t last_int;
    char last_text[320];
    bool free_in_reply;
    bool in_send;
    /* the server of the test's own */
    struct evconnlistener *listener;
    const char *answer; /* to whatever comes; NULL: none */
    bool close_then;
    struct bufferevent *peers[16];
    unsigned accepted;
};

/* For cmocka: a Redis is started, nothing is connected yet. */
int redis_world_setup(void **state);
int redis_world_teardown(void **state);
/* Connects to url; connecting and each command have 300 ms. */
void redis_world_connect(struct redis_world *w, const char *url);
/* Listens in the test itself, answers whatever comes with answer (NULL: nothing), and connects. */
void redis_world_serve(struct redis_world *w, const char *answer, bool close_then);
/* Runs the loop until *value has reached at_least; fails the test after 5 s. */
void redis_world_run_until(struct redis_world *w, const unsigned *value, unsigned at_least);
int redis_world_send(struct redis_world *w, uint32_t block_ms, unsigned count,
                     const char *const *args);
#define SEND(w, block_ms, ...)                                                                     \
    redis_world_send(w, block_ms, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),          \
                     (const char *[]){__VA_ARGS__})

#endif
