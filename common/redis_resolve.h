/* Host names to addresses without blocking the loop, by libevent's resolver. */
#ifndef RETORT_REDIS_RESOLVE_H
#define RETORT_REDIS_RESOLVE_H

#include <stddef.h>

#include <event2/event.h>

#include "common/err.h"

#define REDIS_ADDRESS_SIZE 46 /* of an IPv6 address in text, with its NUL */

struct redis_resolve;

/* address is numeric, or err set. Called once, from the loop; must not free the event base. */
typedef void redis_resolve_fn(void *context, const char *address, const struct err *err);

/* Whether text is an address already. */
int redis_resolve_is_numeric(const char *text);
/* Takes /etc/hosts and /etc/resolv.conf as they are now. Freed by itself after the callback. */
struct redis_resolve *redis_resolve_start(struct event_base *base, const char *host,
                                          redis_resolve_fn *on_resolved, void *context,
                                          struct err *err);
/* on_resolved is not called any more. Not after it was. */
void redis_resolve_cancel(struct redis_resolve *resolve);

#endif
