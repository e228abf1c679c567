/*
 * The listening socket and its connections.
 *
 * Without keys the API binds to loopback addresses only, unless ALLOW_ANONYMOUS says otherwise.
 */
#ifndef RETORT_SERVER_H
#define RETORT_SERVER_H

#include "api/app.h"
#include "common/err.h"

struct server;

/* Listens on HOST and PORT of app->config; app is borrowed. */
struct server *server_new(struct app *app, struct err *err);
/* "127.0.0.1" and the port, also when PORT was 0. */
const char *server_host(const struct server *server);
unsigned server_port(const struct server *server);
/* Accepts nothing more and lets what runs be answered; then on_drained, maybe at once. */
void server_drain(struct server *server, void (*on_drained)(void *context), void *context);
void server_free(struct server *server);

#endif
