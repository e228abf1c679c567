/*
 * hiredis's asynchronous context on libevent, with events of our own instead of hiredis's adapter:
 * that one re-registers the descriptor with the kernel for every read and every write. Here reading
 * stays registered, and writing happens once per round of the loop, straight from an activated
 * event; the kernel is only asked about writability while connecting and when a write was cut
 * short.
 */
#ifndef RETORT_REDIS_LINK_H
#define RETORT_REDIS_LINK_H

#include <event2/event.h>
#include <hiredis/async.h>

#include "common/err.h"
#include "common/redis_url.h"

struct redis_link;

struct redis_link_hooks {
    /* The descriptor is connected. Must not free the link: hiredis goes on with it. */
    void (*on_connected)(void *owner);
    /* The link is gone, on whatever way, and all its commands have been answered with NULL. reason
     * is hiredis's own; "" when there is none. */
    void (*on_gone)(void *owner, const char *reason);
};

/* Starts to connect: to url's socket, or to address, which is numeric. hooks is borrowed. */
struct redis_link *redis_link_open(struct event_base *base, const struct redis_url *url,
                                   const char *address, const struct redis_link_hooks *hooks,
                                   void *owner, struct err *err);
redisAsyncContext *redis_link_context(struct redis_link *link);
/* Ends it: on_gone follows, in a callback of a command only after that has returned. */
void redis_link_close(struct redis_link *link);
/* The same without on_gone; owner may be freed afterwards. */
void redis_link_abandon(struct redis_link *link);

#endif
