/* Connections begin and end here; their life between is in connection.c. */
#include "api/connection_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "api/request_metrics.h"
#include "api/routes.h"
#include "common/log.h"

void
connection_pool_init(struct connection_pool *pool, struct app *app)
{
    *pool = (struct connection_pool){.app = app};
    TAILQ_INIT(&pool->busy);
    TAILQ_INIT(&pool->idle);
}

static struct connection *
connection_new(struct connection_pool *pool, evutil_socket_t fd)
{
    struct err err = ERR_INIT;
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        return NULL;
    if (http_parser_init(&connection->parser, &err) < 0) {
        free(connection);
        return NULL;
    }
    connection->bufferevent = bufferevent_socket_new(pool->app->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!connection->bufferevent) {
        http_parser_fini(&connection->parser);
        free(connection);
        return NULL;
    }
    connection->pool = pool;
    connection->exchange = (struct exchange){.app = pool->app,
                                             .on_answer = connection_on_answer,
                                             .stream = &connection_stream,
                                             .owner = connection};
    return connection;
}

void
connection_count_held(struct connection *connection, uint64_t bytes)
{
    connection->pool->held_bytes += bytes - connection->held_bytes;
    connection->held_bytes = bytes;
}

void
connection_free(struct connection *connection)
{
    struct connection_pool *pool = connection->pool;
    if (connection_is_handled(connection))
        exchange_abandon(&connection->exchange);
    connection_count_held(connection, 0);
    TAILQ_REMOVE(connection->state == CONNECTION_IDLE ? &pool->idle : &pool->busy, connection,
                 link);
    pool->count--;
    metrics_shift(METRIC_CONNECTIONS, METRIC_ONLY, -1);
    event_del(&connection->timer);
    event_del(&connection->hangup);
    bufferevent_free(connection->bufferevent);
    exchange_fini(&connection->exchange);
    http_parser_fini(&connection->parser);
    buffer_fini(&connection->head);
    free(connection);
    if (pool->draining && pool->count == 0 && pool->on_empty)
        pool->on_empty(pool->on_empty_context);
}

/* Room for one more: the connection that has been idle for longest gives way. */
static bool
make_room(struct connection_pool *pool)
{
    if (pool->count < pool->app->config->max_connections)
        return true;
    struct connection *oldest = TAILQ_FIRST(&pool->idle);
    if (!oldest)
        return false;
    connection_free(oldest);
    return true;
}

static void
turn_away(evutil_socket_t fd)
{
    static const char body[] =
        "{\"detail\":\"Too many connections are open; try again in a moment.\","
        "\"error\":{\"code\":\"unavailable\",\"message\":\"Too many connections are open.\","
        "\"retryable\":true,\"type\":\"server_error\",\"param\":null}}";
    char answer[512];
    int size =
        snprintf(answer, sizeof(answer),
                 "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
                 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                 sizeof(body) - 1, body);
    LOG(LOG_WARNING, "connection_refused", {"message", LOG_STR("MAX_CONNECTIONS are open")});
    request_metrics_count(HTTP_METHOD_OTHER, ROUTES_LABEL_OTHER, HTTP_UNAVAILABLE);
    /* Reading what has arrived keeps the kernel from resetting the connection. */
    char ignored[4096];
    (void)!recv(fd, ignored, sizeof(ignored), MSG_DONTWAIT);
    (void)!send(fd, answer, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
    evutil_closesocket(fd);
}

void
connection_open(struct connection_pool *pool, evutil_socket_t fd)
{
    struct connection *connection = make_room(pool) ? connection_new(pool, fd) : NULL;
    if (!connection) {
        turn_away(fd);
        return;
    }
    pool->count++;
    metrics_shift(METRIC_CONNECTIONS, METRIC_ONLY, 1);
    TAILQ_INSERT_TAIL(&pool->idle, connection, link);
    connection_start(connection, fd);
}

static void
close_all(struct connection_list *list)
{
    struct connection *next;
    for (struct connection *connection = TAILQ_FIRST(list); connection; connection = next) {
        next = TAILQ_NEXT(connection, link);
        connection_free(connection);
    }
}

/* Those that were idle for long are closed; connection_start_timer() gives the others a moment. */
static void
close_long_idle(struct connection_pool *pool)
{
    struct connection *next;
    for (struct connection *connection = TAILQ_FIRST(&pool->idle); connection; connection = next) {
        next = TAILQ_NEXT(connection, link);
        if (connection_idle_ms(connection) >= CONNECTION_DRAIN_GRACE_MS)
            connection_free(connection);
        else
            connection_start_timer(connection);
    }
}

void
connection_pool_drain(struct connection_pool *pool, void (*on_empty)(void *context), void *context)
{
    pool->draining = true;
    close_long_idle(pool);
    pool->on_empty = on_empty;
    pool->on_empty_context = context;
    if (pool->count == 0)
        on_empty(context);
}

void
connection_pool_give_up(struct connection_pool *pool)
{
    struct connection *next;
    for (struct connection *connection = TAILQ_FIRST(&pool->busy); connection; connection = next) {
        next = TAILQ_NEXT(connection, link);
        if (connection->state == CONNECTION_WAITING)
            exchange_give_up(&connection->exchange,
                             "The server is ending, and your program was not done in time.");
        else if (connection->state == CONNECTION_STREAMING)
            connection_free(connection);
    }
}

void
connection_pool_fini(struct connection_pool *pool)
{
    pool->on_empty = NULL;
    close_all(&pool->idle);
    close_all(&pool->busy);
}
