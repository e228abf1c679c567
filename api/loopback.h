/*
 * Whether text that a browser sends names this machine. A page of another site cannot choose what
 * it says: Host is the name in the address bar, also when its owner has that name lead to
 * 127.0.0.1 (DNS rebinding), and Origin is where the page came from.
 */
#ifndef RETORT_LOOPBACK_H
#define RETORT_LOOPBACK_H

#include <stdbool.h>

/* localhost, 127.0.0.0/8 in four numbers, [::1]; with or without a port. */
bool loopback_is_host(const char *host);
/* http:// or https:// and such a host; "null" is none. */
bool loopback_is_origin(const char *origin);

#endif
