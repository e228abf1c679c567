#include "api/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/listener.h>

#include "api/connection.h"
#include "common/log.h"

#define BACKLOG         1024
#define ACCEPT_PAUSE_MS 100

struct server {
    struct connection_pool pool;
    struct evconnlistener *listener; /* NULL once draining */
    struct event *resume;            /* accepts again after a pause */
    char host[INET6_ADDRSTRLEN];
    unsigned port;
};

static bool
is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
    return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) && in6->sin6_addr.s6_addr[12] == 127);
}

static int
resolve(const struct config *config, struct addrinfo **found, struct err *err)
{
    char port[8];
    snprintf(port, sizeof(port), "%u", (unsigned)config->port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    int code = getaddrinfo(config->host, port, &hints, found);
    if (code != 0)
        return err_set(err, ERR_CONFIG, 0, "HOST %s is not an address of this machine: %s.",
                       config->host, gai_strerror(code));
    if (!config->allow_anonymous && !is_loopback((*found)->ai_addr)) {
        freeaddrinfo(*found);
        return err_set(err, ERR_CONFIG, 0,
                       "HOST %s can be reached by others, and no keys are set up; use 127.0.0.1, "
                       "or ALLOW_ANONYMOUS=1 to serve anybody.",
                       config->host);
    }
    return 0;
}

/* A descriptor that listens, or -1. */
static int
listen_on(const struct config *config, const struct addrinfo *address, struct err *err)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, ERR_SYSTEM, errno, "making a socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int sys_errno = errno;
    close(fd);
    if (sys_errno == EADDRINUSE)
        return err_set(err, ERR_CONFIG, 0,
                       "Port %u of %s is in use by another program; set PORT to a free one.",
                       (unsigned)config->port, config->host);
    return err_set(err, ERR_CONFIG, sys_errno, "Cannot listen on HOST %s, PORT %u", config->host,
                   (unsigned)config->port);
}

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

static void
note_address(struct server *server, int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    char port[8] = "0";
    getsockname(fd, (struct sockaddr *)&address, &size);
    getnameinfo((struct sockaddr *)&address, size, server->host, sizeof(server->host), port,
                sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
    server->port = (unsigned)strtoul(port, NULL, 10);
}

struct server *
server_new(struct app *app, struct err *err)
{
    struct addrinfo *address;
    if (resolve(app->config, &address, err) < 0)
        return NULL;
    int fd = listen_on(app->config, address, err);
    freeaddrinfo(address);
    if (fd < 0)
        return NULL;

    struct server *server = calloc(1, sizeof(*server));
    if (server) {
        connection_pool_init(&server->pool, app);
        note_address(server, fd);
        server->resume = event_new(app->base, -1, 0, on_resume, server);
        server->listener = evconnlistener_new(app->base, on_accept, server,
                                              LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    }
    if (!server || !server->resume || !server->listener) {
        if (!server || !server->listener)
            close(fd);
        server_free(server);
        err_set(err, ERR_SYSTEM, 0, "out of memory for the server");
        return NULL;
    }
    evconnlistener_set_error_cb(server->listener, on_accept_error);
    return server;
}

const char *
server_host(const struct server *server)
{
    return server->host;
}

unsigned
server_port(const struct server *server)
{
    return server->port;
}

void
server_drain(struct server *server, void (*on_drained)(void *context), void *context)
{
    if (server->listener)
        evconnlistener_free(server->listener);
    server->listener = NULL;
    connection_pool_drain(&server->pool, on_drained, context);
}

void
server_free(struct server *server)
{
    if (!server)
        return;
    connection_pool_fini(&server->pool);
    if (server->listener)
        evconnlistener_free(server->listener);
    if (server->resume)
        event_free(server->resume);
    free(server);
}
