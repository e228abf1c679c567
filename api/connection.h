/*
 * Client connections, and the pool that bounds them. Theory of operation in connection.c.
 *
 *     struct connection_pool pool;
 *     connection_pool_init(&pool, &app);
 *     connection_open(&pool, fd);          takes fd
 */
#ifndef RETORT_CONNECTION_H
#define RETORT_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/util.h>

#include "api/http_response.h"

struct app;
struct connection;

TAILQ_HEAD(connection_list, connection);

struct connection_pool {
    struct app *app;
    struct connection_list busy; /* with a request, or a part of one */
    struct connection_list idle; /* without; the longest waiting first */
    unsigned count;
    uint64_t held_bytes; /* of all request bodies and of what is unsent of answers */
    bool draining;       /* close each connection after its answer */
    struct http_date date;
    void (*on_empty)(void *context); /* called when draining and the last one is closed */
    void *on_empty_context;
};

void connection_pool_init(struct connection_pool *pool, struct app *app);
/* Serves fd, which must not block. Closes it when that cannot be. */
void connection_open(struct connection_pool *pool, evutil_socket_t fd);
/* Closes connections idle for more than a moment, lets the others answer. on_empty may be called
 * before it returns. */
void connection_pool_drain(struct connection_pool *pool, void (*on_empty)(void *context),
                           void *context);
/* While it drains: answers whoever waits for a job that the server is ending; the jobs are
 * cancelled.
 */
void connection_pool_give_up(struct connection_pool *pool);
/* Closes all; jobs that are waited for are cancelled. */
void connection_pool_fini(struct connection_pool *pool);

#endif
