/* The one function of libuuid that CPython's uuid module calls. */
#ifndef GUEST_UUID_H
#define GUEST_UUID_H

typedef unsigned char uuid_t[16];

/* A UUID of time and node (RFC 4122, version 1). -1, as from libuuid without its daemon. */
int uuid_generate_time_safe(uuid_t out);

#endif
