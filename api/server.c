/*
 * Takes one client each time the loop finds the listening socket readable, and serves those that it
 * has between. With several processes on the socket all of them wake, and one that is busy takes
 * fewer: one that took all that wait would leave nothing to the others.
 */
#include "api/server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/connection.h"
#include "api/listen_socket.h"
#include "common/log.h"

#define ACCEPT_PAUSE_MS 100

struct server {
    struct connection_pool pool;
    int fd;               /* listens; -1 once draining */
    struct event *accept; /* a client waits */
    struct event *resume; /* accepts again after a pause */
    bool begun;
};

/* Gone again before it was taken, or another process was faster. */
static bool
is_nothing(int sys_errno)
{
    return sys_errno == EAGAIN || sys_errno == ECONNABORTED || sys_errno == EINTR;
}

static bool
accept_one(struct server *server)
{
    int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        connection_open(&server->pool, fd);
    return fd >= 0;
}

/* Out of descriptors, mostly: the loop would spin on the connection that it cannot accept. */
static void
pause_accepting(struct server *server, int sys_errno)
{
    const struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000};
    struct err err = ERR_INIT;
    err_set(&err, ERR_SYSTEM, sys_errno, "accepting a connection");
    log_err(LOG_ERROR, "accept_failed", &err);
    event_del(server->accept);
    event_add(server->resume, &pause);
}

static void
on_acceptable(evutil_socket_t fd, short events, void *context)
{
    struct server *server = context;
    (void)fd;
    (void)events;
    if (!accept_one(server) && !is_nothing(errno))
        pause_accepting(server, errno);
}

static void
on_resume(evutil_socket_t fd, short events, void *context)
{
    struct server *server = context;
    (void)fd;
    (void)events;
    if (server->fd >= 0)
        event_add(server->accept, NULL);
}

struct server *
server_new(struct app *app, int fd, struct err *err)
{
    struct server *server = calloc(1, sizeof(*server));
    if (server) {
        connection_pool_init(&server->pool, app);
        server->fd = fd;
        server->resume = event_new(app->base, -1, 0, on_resume, server);
        server->accept = event_new(app->base, fd, EV_READ | EV_PERSIST, on_acceptable, server);
    } else {
        close(fd);
    }
    if (!server || !server->resume || !server->accept) {
        server_free(server);
        err_set(err, ERR_SYSTEM, 0, "out of memory for the server");
        return NULL;
    }
    return server;
}

void
server_begin(struct server *server)
{
    server->begun = true;
    on_resume(-1, 0, server);
}

/* Clients that the kernel has let in already, and would reset when nobody listens any more. */
static void
accept_those_who_wait(struct server *server)
{
    for (unsigned i = 0; i < LISTEN_BACKLOG; i++) {
        if (!accept_one(server) && errno != ECONNABORTED && errno != EINTR)
            break;
    }
}

static void
stop_listening(struct server *server)
{
    if (server->accept)
        event_free(server->accept);
    server->accept = NULL;
    if (server->fd >= 0)
        close(server->fd);
    server->fd = -1;
}

void
server_drain(struct server *server, void (*on_drained)(void *context), void *context)
{
    if (server->fd >= 0 && server->begun)
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
