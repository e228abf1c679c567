/*
 * Not libevent's evhttp, which cannot bound its connections: of HTTP this needs the first line of a
 * request and the empty one after its head. What comes after the answer is thrown away until the
 * client has closed too, since closing before that could take the answer back.
 */
#include "worker/metrics_server.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "common/log.h"
#include "common/metrics.h"
#include "worker/metrics_request.h"

#define BACKLOG         16
#define ACCEPT_PAUSE_MS 100
#define TEXT_TYPE       "text/plain; charset=utf-8"

struct scrape {
    struct metrics_server *server;
    struct bufferevent *bufferevent;
    struct event *end; /* its time is over */
    bool answered;
    TAILQ_ENTRY(scrape) link;
};

struct metrics_server {
    struct event_base *base;
    struct evconnlistener *listener;
    struct event *resume; /* accepts again after a pause */
    struct metrics_server_hooks hooks;
    TAILQ_HEAD(scrape_list, scrape) scrapes; /* the oldest first */
    unsigned count;
};

/* ---- listening ---- */

static int
bind_address(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int sys_errno = errno;
    (void)close(fd);
    errno = sys_errno;
    return -1;
}

int
metrics_server_listen(const char *host, unsigned port, struct err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    char service[8];

    (void)snprintf(service, sizeof(service), "%u", port);
    int code = getaddrinfo(host, service, &hints, &found);
    if (code != 0)
        return err_set(err, ERR_CONFIG, 0, "METRICS_HOST %s is not an address of this machine: %s.",
                       host, gai_strerror(code));
    int fd = bind_address(found);
    int sys_errno = errno;
    freeaddrinfo(found);
    if (fd < 0)
        return err_set(err, ERR_CONFIG, sys_errno,
                       "Cannot listen on METRICS_HOST %s, METRICS_PORT %u", host, port);
    return fd;
}

/* ---- one request ---- */

static void
scrape_free(struct scrape *scrape)
{
    TAILQ_REMOVE(&scrape->server->scrapes, scrape, link);
    scrape->server->count--;
    if (scrape->end)
        event_free(scrape->end);
    if (scrape->bufferevent)
        bufferevent_free(scrape->bufferevent);
    free(scrape);
}

static void
answer(struct scrape *scrape, const char *status, const char *type, struct evbuffer *body,
       bool head_only)
{
    struct evbuffer *output = bufferevent_get_output(scrape->bufferevent);

    scrape->answered = true;
    (void)evbuffer_add_printf(output,
                              "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                              "Cache-Control: no-store\r\n%sConnection: close\r\n\r\n",
                              status, type, evbuffer_get_length(body),
                              strncmp(status, "405", 3) == 0 ? "Allow: GET, HEAD\r\n" : "");
    if (!head_only)
        (void)evbuffer_add_buffer(output, body);
}

static void
put(void *context, const char *text, size_t size)
{
    (void)evbuffer_add(context, text, size);
}

static void
answer_health(struct scrape *scrape, struct evbuffer *body, bool head_only)
{
    const struct metrics_server_hooks *hooks = &scrape->server->hooks;
    char sentence[512] = "ok";
    bool healthy = hooks->healthy(hooks->context, sentence, sizeof(sentence));

    (void)evbuffer_add_printf(body, "%s\n", sentence);
    answer(scrape, healthy ? "200 OK" : "503 Service Unavailable", TEXT_TYPE, body, head_only);
}

static void
answer_request(struct scrape *scrape, struct metrics_request request, struct evbuffer *body)
{
    const struct metrics_server_hooks *hooks = &scrape->server->hooks;

    switch (request.kind) {
    case METRICS_REQUEST_MALFORMED:
        answer(scrape, "400 Bad Request", TEXT_TYPE, body, false);
        break;
    case METRICS_REQUEST_NOT_ALLOWED:
        answer(scrape, "405 Method Not Allowed", TEXT_TYPE, body, false);
        break;
    case METRICS_REQUEST_UNKNOWN:
        (void)evbuffer_add_printf(body, "/metrics and /healthz are here.\n");
        answer(scrape, "404 Not Found", TEXT_TYPE, body, request.head_only);
        break;
    case METRICS_REQUEST_PAGE:
        hooks->refresh(hooks->context);
        metrics_print(put, body);
        answer(scrape, "200 OK", METRICS_CONTENT_TYPE, body, request.head_only);
        break;
    case METRICS_REQUEST_HEALTH:
        answer_health(scrape, body, request.head_only);
        break;
    }
}

static void
take_head(struct scrape *scrape, struct evbuffer *input)
{
    size_t size = evbuffer_get_length(input);
    const unsigned char *head = evbuffer_pullup(input, -1);
    struct evbuffer *body = evbuffer_new();

    if (body && head)
        answer_request(scrape, metrics_request_read((const char *)head, size), body);
    scrape->answered = true; /* also without memory: its time will end */
    if (body)
        evbuffer_free(body);
}

static void
on_read(struct bufferevent *bufferevent, void *context)
{
    struct scrape *scrape = context;
    struct evbuffer *input = bufferevent_get_input(bufferevent);

    if (!scrape->answered && evbuffer_search(input, "\r\n\r\n", 4, NULL).pos >= 0)
        take_head(scrape, input);
    else if (!scrape->answered && evbuffer_get_length(input) >= METRICS_HEAD_BYTES) {
        struct evbuffer *none = evbuffer_new();
        if (none)
            answer(scrape, "431 Request Header Fields Too Large", TEXT_TYPE, none, false);
        if (none)
            evbuffer_free(none);
        scrape->answered = true;
    }
    if (scrape->answered)
        (void)evbuffer_drain(input, evbuffer_get_length(input));
}

/* All of the answer is with the kernel. */
static void
on_written(struct bufferevent *bufferevent, void *context)
{
    struct scrape *scrape = context;

    if (scrape->answered)
        (void)shutdown(bufferevent_getfd(bufferevent), SHUT_WR);
}

static void
on_event(struct bufferevent *bufferevent, short events, void *context)
{
    struct scrape *scrape = context;
    size_t left = evbuffer_get_length(bufferevent_get_output(bufferevent));

    /* Whoever only closes its sending side still gets the answer. */
    if ((events & BEV_EVENT_EOF) && scrape->answered && left > 0)
        return;
    scrape_free(scrape);
}

static void
on_end(evutil_socket_t fd, short events, void *context)
{
    (void)fd;
    (void)events;
    scrape_free(context);
}

/* ---- connections ---- */

static int
scrape_start(struct scrape *scrape, evutil_socket_t fd)
{
    const struct timeval time = {.tv_sec = METRICS_TIME_MS / 1000};

    scrape->bufferevent = bufferevent_socket_new(scrape->server->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!scrape->bufferevent) {
        (void)close(fd);
        return -1;
    }
    scrape->end = evtimer_new(scrape->server->base, on_end, scrape);
    if (!scrape->end || evtimer_add(scrape->end, &time) < 0)
        return -1;
    bufferevent_setwatermark(scrape->bufferevent, EV_READ, 0, METRICS_HEAD_BYTES);
    bufferevent_setcb(scrape->bufferevent, on_read, on_written, on_event, scrape);
    return bufferevent_enable(scrape->bufferevent, EV_READ | EV_WRITE);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int size,
          void *context)
{
    struct metrics_server *server = context;
    struct scrape *scrape;

    (void)listener;
    (void)address;
    (void)size;
    if (server->count >= METRICS_CONNECTIONS)
        scrape_free(TAILQ_FIRST(&server->scrapes));
    scrape = calloc(1, sizeof(*scrape));
    if (!scrape) {
        (void)close(fd);
        return;
    }
    scrape->server = server;
    TAILQ_INSERT_TAIL(&server->scrapes, scrape, link);
    server->count++;
    if (scrape_start(scrape, fd) < 0)
        scrape_free(scrape);
}

/* Out of descriptors, mostly: the loop would spin on the connection that it cannot accept. */
static void
on_accept_error(struct evconnlistener *listener, void *context)
{
    struct metrics_server *server = context;
    const struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000};
    struct err err = ERR_INIT;

    err_set(&err, ERR_SYSTEM, EVUTIL_SOCKET_ERROR(), "accepting a connection");
    log_err(LOG_ERROR, "accept_failed", &err);
    (void)evconnlistener_disable(listener);
    (void)event_add(server->resume, &pause);
}

static void
on_resume(evutil_socket_t fd, short events, void *context)
{
    struct metrics_server *server = context;

    (void)fd;
    (void)events;
    (void)evconnlistener_enable(server->listener);
}

struct metrics_server *
metrics_server_new(struct event_base *base, int fd, const struct metrics_server_hooks *hooks,
                   struct err *err)
{
    struct metrics_server *server = calloc(1, sizeof(*server));

    if (server) {
        server->base = base;
        server->hooks = *hooks;
        TAILQ_INIT(&server->scrapes);
        server->resume = event_new(base, -1, 0, on_resume, server);
        server->listener = evconnlistener_new(base, on_accept, server,
                                              LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    }
    if (!server || !server->resume || !server->listener) {
        if (!server || !server->listener)
            (void)close(fd);
        metrics_server_free(server);
        err_set(err, ERR_SYSTEM, ENOMEM, "making the server of metrics");
        return NULL;
    }
    evconnlistener_set_error_cb(server->listener, on_accept_error);
    return server;
}

void
metrics_server_free(struct metrics_server *server)
{
    if (!server)
        return;
    for (struct scrape *scrape = TAILQ_FIRST(&server->scrapes), *next; scrape; scrape = next) {
        next = TAILQ_NEXT(scrape, link);
        scrape_free(scrape);
    }
    if (server->listener)
        evconnlistener_free(server->listener);
    if (server->resume)
        event_free(server->resume);
    free(server);
}
