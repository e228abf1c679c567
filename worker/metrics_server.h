/*
 * GET /metrics and GET /healthz of the worker, on a socket of its own (METRICS_HOST, METRICS_PORT).
 *
 *     int fd = metrics_server_listen(host, port, &err);     before the system-call filter
 *     struct metrics_server *server = metrics_server_new(base, fd, &hooks, &err);
 *
 * Who asks is a Prometheus, or a supervisor that wants to know whether the worker is well: one
 * request a connection, which is closed with the answer. At most METRICS_CONNECTIONS at once: one
 * more takes the place of the oldest. A head has METRICS_HEAD_BYTES, a connection METRICS_TIME_MS.
 */
#ifndef RETORT_METRICS_SERVER_H
#define RETORT_METRICS_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include <event2/event.h>

#include "common/err.h"

#define METRICS_CONNECTIONS 16
#define METRICS_HEAD_BYTES  8192
#define METRICS_TIME_MS     5000

struct metrics_server_hooks {
    /* A page is going to be printed. */
    void (*refresh)(void *context);
    /* The answer of /healthz; false: sentence says why not. */
    bool (*healthy)(void *context, char *sentence, size_t size);
    void *context;
};

struct metrics_server;

/* A descriptor that listens, or -1. */
int metrics_server_listen(const char *host, unsigned port, struct err *err);
/* Takes fd, also when it fails. */
struct metrics_server *metrics_server_new(struct event_base *base, int fd,
                                          const struct metrics_server_hooks *hooks,
                                          struct err *err);
void metrics_server_free(struct metrics_server *server);

#endif
