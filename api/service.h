/*
 * What one serving process is: loop, queue, server, and the signals that end it.
 *
 *     struct service *service = service_new(&options, &err);
 *     if (!service || service_run(service, &err) < 0)
 *         ...
 *     service_free(service);
 */
#ifndef RETORT_SERVICE_H
#define RETORT_SERVICE_H

#include <stdbool.h>

#include "api/code_patterns.h"
#include "common/config.h"
#include "common/err.h"
#include "common/languages.h"

/* Without Redis for so long, requests are answered "unavailable" rather than left waiting. */
#define SERVICE_QUEUE_WAIT_MS 1000

struct service;

struct service_options {
    const struct config *config;          /* borrowed */
    const struct languages *languages;    /* that /readyz wants to be served; copied */
    const struct code_patterns *patterns; /* borrowed */
    struct key_store *keys;               /* borrowed; NULL: everybody is anonymous */
    bool loopback;                        /* listen_fd does so on a loopback address */
    int listen_fd;                        /* listens, does not block; taken, also on failure */
    /*
     * By itself, SIGTERM, SIGINT and SIGHUP drain, and a second one ends at once. One of several is
     * told by its parent: SIGTERM drains however often it comes (a service manager may send it to
     * all), and SIGQUIT ends at once.
     */
    bool supervised;
    void (*on_serving)(void *context); /* clients are taken from now on */
    void *context;
};

/* NULL: nothing that was made is left. */
struct service *service_new(const struct service_options *options, struct err *err);
/*
 * Takes clients as soon as Redis is there (those who come before wait), or has not been for
 * SERVICE_QUEUE_WAIT_MS, and serves until a signal has ended it: then answers what runs, for at
 * most DRAIN_TIMEOUT_MS. -1: Redis cannot carry the queue.
 */
int service_run(struct service *service, struct err *err);
/* Jobs that are still waited for are cancelled. NULL is nothing. */
void service_free(struct service *service);

#endif
