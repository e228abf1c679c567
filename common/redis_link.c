#include "common/redis_link.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>

struct redis_link {
    redisAsyncContext *context;
    const struct redis_link_hooks *hooks;
    void *owner; /* NULL: abandoned */
    struct event *readable, *writable, *flush;
    bool connected; /* before that hiredis waits for writability */
    bool writing;   /* inside redisAsyncHandleWrite() */
};

static void
on_readable(evutil_socket_t fd, short events, void *context)
{
    struct redis_link *link = context;
    (void)fd, (void)events;
    redisAsyncHandleRead(link->context);
}

/*
 * For writability and for the flush. hiredis answers with hook_del_write(), with hook_add_write()
 * or, when the write failed, by freeing the link: nothing may follow the call.
 */
static void
on_writable(evutil_socket_t fd, short events, void *context)
{
    struct redis_link *link = context;
    (void)fd, (void)events;
    link->writing = true;
    redisAsyncHandleWrite(link->context);
}

static void
hook_add_read(void *context)
{
    struct redis_link *link = context;
    if (!event_pending(link->readable, EV_READ, NULL))
        event_add(link->readable, NULL);
}

static void
hook_del_read(void *context)
{
    struct redis_link *link = context;
    event_del(link->readable);
}

/*
 * hiredis asks for writability when a command was put into its buffer, and again when a write was
 * cut short. The first is answered by a write in this round of the loop, the second by the kernel.
 */
static void
hook_add_write(void *context)
{
    struct redis_link *link = context;
    if (!link->connected || link->writing)
        event_add(link->writable, NULL);
    else
        event_active(link->flush, EV_WRITE, 0);
    link->writing = false;
}

static void
hook_del_write(void *context)
{
    struct redis_link *link = context;
    link->writing = false;
    if (event_pending(link->writable, EV_WRITE, NULL))
        event_del(link->writable);
}

static void
free_events(struct redis_link *link)
{
    if (link->readable)
        event_free(link->readable);
    if (link->writable)
        event_free(link->writable);
    if (link->flush)
        event_free(link->flush);
}

/* hiredis frees the context after this; all commands have been answered. */
static void
hook_cleanup(void *context)
{
    struct redis_link *link = context;
    const struct redis_link_hooks *hooks = link->hooks;
    void *owner = link->owner;
    const char *reason = link->context->errstr;
    free_events(link);
    free(link);
    if (owner)
        hooks->on_gone(owner, reason ? reason : "");
}

static void
on_connect(const redisAsyncContext *context, int status)
{
    struct redis_link *link = context->data;
    if (!link->owner || status != REDIS_OK)
        return; /* hiredis cleans a failure up */
    link->connected = true;
    link->hooks->on_connected(link->owner);
}

static int
attach(struct redis_link *link, struct event_base *base)
{
    redisAsyncContext *context = link->context;
    int fd = context->c.fd;
    link->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, link);
    link->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, link);
    link->flush = event_new(base, -1, 0, on_writable, link);
    if (!link->readable || !link->writable || !link->flush)
        return -1;
    context->data = link;
    context->ev.data = link;
    context->ev.addRead = hook_add_read;
    context->ev.delRead = hook_del_read;
    context->ev.addWrite = hook_add_write;
    context->ev.delWrite = hook_del_write;
    context->ev.cleanup = hook_cleanup;
    /* Asks for writability, by which the end of connecting shows. */
    redisAsyncSetConnectCallback(context, on_connect);
    return 0;
}

static redisAsyncContext *
open_context(const struct redis_url *url, const char *address, struct err *err)
{
    redisAsyncContext *context =
        url->path ? redisAsyncConnectUnix(url->path) : redisAsyncConnect(address, url->port);
    if (!context) {
        err_set(err, ERR_SYSTEM, 0, "no memory for a Redis connection");
        return NULL;
    }
    if (context->err) {
        err_set(err, ERR_UNAVAILABLE, 0, "cannot connect to Redis (%s)", context->errstr);
        redisAsyncFree(context);
        return NULL;
    }
    /* hiredis 0.14 does not; zygotes must not inherit it. */
    fcntl(context->c.fd, F_SETFD, FD_CLOEXEC);
    return context;
}

struct redis_link *
redis_link_open(struct event_base *base, const struct redis_url *url, const char *address,
                const struct redis_link_hooks *hooks, void *owner, struct err *err)
{
    redisAsyncContext *context = open_context(url, address, err);
    if (!context)
        return NULL;
    struct redis_link *link = calloc(1, sizeof(*link));
    if (link) {
        link->context = context;
        link->hooks = hooks;
        link->owner = owner;
    }
    if (!link || attach(link, base) < 0) {
        err_set(err, ERR_SYSTEM, 0, "no memory for a Redis connection");
        redisAsyncFree(context);
        if (link)
            free_events(link);
        free(link);
        return NULL;
    }
    return link;
}

redisAsyncContext *
redis_link_context(struct redis_link *link)
{
    return link->context;
}

void
redis_link_close(struct redis_link *link)
{
    redisAsyncFree(link->context);
}

void
redis_link_abandon(struct redis_link *link)
{
    link->owner = NULL;
    redisAsyncFree(link->context);
}
