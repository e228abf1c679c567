/* Takes in clients from a listening socket, and ends their connections. */
#ifndef RETORT_SERVER_H
#define RETORT_SERVER_H

#include "api/app.h"
#include "common/err.h"

struct server;

/*
 * Lets clients wait until server_begin(). app is borrowed; fd listens, does not block, and is
 * taken, also on failure.
 */
struct server *server_new(struct app *app, int fd, struct err *err);
void server_begin(struct server *server);
/* Accepts nothing more and lets what runs be answered; then on_drained, maybe at once. */
void server_drain(struct server *server, void (*on_drained)(void *context), void *context);
/* While it drains: whoever still waits is told that it ends. */
void server_give_up(struct server *server);
void server_free(struct server *server);

#endif
