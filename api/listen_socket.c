#include "api/listen_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/key_store.h"
#include "common/config.h"

/* Where systemd's first socket is (sd_listen_fds(3)). */
#define PASSED_FD 3

static bool
is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
    return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) && in6->sin6_addr.s6_addr[12] == 127);
}

static bool
serves_others(const struct config *config)
{
    return config->allow_anonymous || key_store_wanted(config);
}

static int
note_address(struct listen_socket *sock, const struct sockaddr *address, socklen_t size,
             struct err *err)
{
    char port[8] = "0";
    int code = getnameinfo(address, size, sock->host, sizeof(sock->host), port, sizeof(port),
                           NI_NUMERICHOST | NI_NUMERICSERV);
    if (code != 0)
        return err_set(err, ERR_SYSTEM, 0, "The address that is listened on has no text: %s.",
                       gai_strerror(code));
    sock->port = (unsigned)strtoul(port, NULL, 10);
    sock->loopback = is_loopback(address);
    return 0;
}

/* ---- one of ours -------------------------------------------------------------------------- */

static int
resolve(const struct config *config, struct addrinfo **found, struct err *err)
{
    char port[8];
    snprintf(port, sizeof(port), "%u", (unsigned)config->port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    int code = getaddrinfo(config->host, port, &hints, found);
    if (code != 0)
        return err_set(err, ERR_CONFIG, 0, "HOST %s is not an address of this machine: %s.",
                       config->host, gai_strerror(code));
    if (!serves_others(config) && !is_loopback((*found)->ai_addr)) {
        freeaddrinfo(*found);
        return err_set(err, ERR_CONFIG, 0,
                       "HOST %s can be reached by others, and no keys are set up; use 127.0.0.1, "
                       "API_KEYS or API_KEYS_FILE, or ALLOW_ANONYMOUS=1 to serve anybody.",
                       config->host);
    }
    return 0;
}

/* A descriptor that listens, or -1. */
static int
listen_on(const struct config *config, const struct addrinfo *address, struct err *err)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, ERR_SYSTEM, errno, "making a socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
        return fd;
    int sys_errno = errno;
    close(fd);
    if (sys_errno == EADDRINUSE)
        return err_set(err, ERR_CONFIG, 0,
                       "Port %u of %s is in use by another program; set PORT to a free one.",
                       (unsigned)config->port, config->host);
    return err_set(err, ERR_CONFIG, sys_errno, "Cannot listen on HOST %s, PORT %u", config->host,
                   (unsigned)config->port);
}

static int
make(struct listen_socket *sock, const struct config *config, struct err *err)
{
    struct addrinfo *address;
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof(bound);
    if (resolve(config, &address, err) < 0)
        return -1;
    sock->fd = listen_on(config, address, err);
    freeaddrinfo(address);
    if (sock->fd < 0)
        return -1;
    getsockname(sock->fd, (struct sockaddr *)&bound, &size);
    return note_address(sock, (const struct sockaddr *)&bound, size, err);
}

/* ---- one of systemd's --------------------------------------------------------------------- */

/* How many sockets were passed to this process; 0 also when they were meant for another one. */
static uint64_t
passed_count(void)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    uint64_t value = 0, count = 0;
    bool ours = pid && config_parse_uint(pid, &value) && value == (uint64_t)getpid() && fds != NULL;
    /* What does not read as a number is no count of 1 either, and is refused. */
    if (ours && !config_parse_uint(fds, &count))
        count = UINT64_MAX;
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return count;
}

static bool
is_listening_stream(int fd)
{
    int listens = 0, type = 0;
    socklen_t size = sizeof(int);
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

static int
take_passed(struct listen_socket *sock, const struct config *config, struct err *err)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    if (!is_listening_stream(PASSED_FD) ||
        getsockname(PASSED_FD, (struct sockaddr *)&address, &size) < 0 ||
        (address.ss_family != AF_INET && address.ss_family != AF_INET6))
        return err_set(err, ERR_CONFIG, 0,
                       "The socket that was passed (LISTEN_FDS) does not listen on a TCP port.");
    sock->fd = PASSED_FD;
    sock->inherited = true;
    if (fcntl(PASSED_FD, F_SETFD, FD_CLOEXEC) < 0 || fcntl(PASSED_FD, F_SETFL, O_NONBLOCK) < 0)
        return err_set(err, ERR_SYSTEM, errno, "setting flags of the socket that was passed");
    if (note_address(sock, (const struct sockaddr *)&address, size, err) < 0)
        return -1;
    if (!serves_others(config) && !is_loopback((const struct sockaddr *)&address))
        return err_set(err, ERR_CONFIG, 0,
                       "The socket that was passed (LISTEN_FDS) listens on %s, which can be "
                       "reached by others, and no keys are set up; use 127.0.0.1, "
                       "API_KEYS or API_KEYS_FILE, or ALLOW_ANONYMOUS=1 to serve anybody.",
                       sock->host);
    return 0;
}

int
listen_socket_open(struct listen_socket *sock, const struct config *config, struct err *err)
{
    *sock = (struct listen_socket){.fd = -1};
    uint64_t passed = passed_count();
    if (passed > 1)
        return err_set(err, ERR_CONFIG, 0,
                       "More than one socket was passed (LISTEN_FDS); the API takes one.");
    int result = passed == 1 ? take_passed(sock, config, err) : make(sock, config, err);
    if (result < 0)
        listen_socket_close(sock);
    return result;
}

void
listen_socket_close(struct listen_socket *sock)
{
    if (sock->fd >= 0)
        close(sock->fd);
    sock->fd = -1;
}
