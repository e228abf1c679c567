#include "api/server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/listener.h>

#include "api/connection.h"
#include "api/listen_socket.h"
#include "common/log.h"

#define ACCEPT_PAUSE_MS 100

struct server {
    struct connection_pool pool;
    int fd;                          /* listens; -1 once draining */
    struct evconnlistener *listener; /* NULL once draining */
    struct event *resume;            /* accepts again after a pause */
};

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int size,
          void *context)
{
    struct server *server = context;
    (void)listener;
    (void)address;
    (void)size;
    connection_open(&server->pool, fd);
}

/* Out of descriptors, mostly: the loop would spin on the connection that it cannot accept. */
static void
on_accept_error(struct evconnlistener *listener, void *context)
{
    struct server *server = context;
    const struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000};
    struct err err = ERR_INIT;
    err_set(&err, ERR_SYSTEM, EVUTIL_SOCKET_ERROR(), "accepting a connection");
    log_err(LOG_ERROR, "accept_failed", &err);
    evconnlistener_disable(listener);
    event_add(server->resume, &pause);
}

static void
on_resume(evutil_socket_t fd, short events, void *context)
{
    struct server *server = context;
    (void)fd;
    (void)events;
    if (server->listener)
        evconnlistener_enable(server->listener);
}

struct server *
server_new(struct app *app, int fd, struct err *err)
{
    struct server *server = calloc(1, sizeof(*server));
    if (server) {
        connection_pool_init(&server->pool, app);
        server->fd = fd;
        server->resume = event_new(app->base, -1, 0, on_resume, server);
        server->listener = evconnlistener_new(app->base, on_accept, server,
                                              LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd);
    }
    if (!server || !server->resume || !server->listener) {
        if (!server)
            close(fd);
        server_free(server);
        err_set(err, ERR_SYSTEM, 0, "out of memory for the server");
        return NULL;
    }
    evconnlistener_set_error_cb(server->listener, on_accept_error);
    return server;
}

void
server_begin(struct server *server)
{
    if (server->listener)
        evconnlistener_enable(server->listener);
}

/* Clients that the kernel has let in already, and would reset when nobody listens any more. */
static void
accept_those_who_wait(struct server *server)
{
    for (unsigned i = 0; i < LISTEN_BACKLOG; i++) {
        int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            connection_open(&server->pool, fd);
        else if (errno != ECONNABORTED && errno != EINTR)
            break;
    }
}

static void
stop_listening(struct server *server)
{
    if (server->listener)
        evconnlistener_free(server->listener);
    server->listener = NULL;
    if (server->fd >= 0)
        close(server->fd);
    server->fd = -1;
}

void
server_drain(struct server *server, void (*on_drained)(void *context), void *context)
{
    if (server->listener)
        accept_those_who_wait(server);
    stop_listening(server);
    connection_pool_drain(&server->pool, on_drained, context);
}

void
server_give_up(struct server *server)
{
    connection_pool_give_up(&server->pool);
}

void
server_free(struct server *server)
{
    if (!server)
        return;
    connection_pool_fini(&server->pool);
    stop_listening(server);
    if (server->resume)
        event_free(server->resume);
    free(server);
}
