/*
 * Where a Redis is: redis://[[user]:password@]host[:port][/db] or
 * unix://[[user]:password@]/path/to/socket[?db=N]. User, password and path may be percent-encoded.
 */
#ifndef RETORT_REDIS_URL_H
#define RETORT_REDIS_URL_H

#include <stdint.h>

#include "common/err.h"

struct redis_url {
    char *path;     /* of the socket; NULL: TCP */
    char *host;     /* NULL: unix socket */
    uint16_t port;  /* valid when host is set */
    uint32_t db;    /* 0 is the one that a connection starts in */
    char *user;     /* NULL: none */
    char *password; /* NULL: none; never logged */
};

/* url is overwritten; free with redis_url_fini(). Messages never repeat the text. */
int redis_url_parse(struct redis_url *url, const char *text, struct err *err);
void redis_url_fini(struct redis_url *url);

#endif
