/*
 * The socket on which clients arrive: made for HOST and PORT, or handed over by systemd (socket
 * activation: LISTEN_PID, LISTEN_FDS, one socket), which then holds it while the service restarts.
 *
 * Without keys (API_KEYS, API_KEYS_FILE) it may be on loopback addresses only, unless
 * ALLOW_ANONYMOUS says otherwise; so too when somebody else has made it.
 */
#ifndef RETORT_LISTEN_SOCKET_H
#define RETORT_LISTEN_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>

#include "common/config.h"
#include "common/err.h"

/* Connections that the kernel takes before we do. */
#define LISTEN_BACKLOG 1024

struct listen_socket {
    int fd;                      /* listens, does not block; -1: none */
    bool inherited;              /* from systemd: HOST and PORT were not looked at */
    char host[INET6_ADDRSTRLEN]; /* "127.0.0.1" */
    bool loopback;               /* this machine alone reaches it */
    unsigned port;               /* also when PORT was 0 */
};

/* Caller closes it. Takes LISTEN_PID and LISTEN_FDS out of the environment. */
int listen_socket_open(struct listen_socket *sock, const struct config *config, struct err *err);
void listen_socket_close(struct listen_socket *sock);

#endif
