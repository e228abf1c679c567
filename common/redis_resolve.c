/*
 * libevent's resolver may answer before it returns, and must not be freed from within its own
 * answer. So an answer is only noted, and an event of ours delivers it and cleans up.
 */
#include "common/redis_resolve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <event2/dns.h>
#include <event2/util.h>

struct redis_resolve {
    struct evdns_base *dns;
    struct evdns_getaddrinfo_request *request; /* NULL: answered */
    struct event *done;
    redis_resolve_fn *on_resolved; /* NULL: cancelled */
    void *context;
    char address[REDIS_ADDRESS_SIZE];
    char host[256]; /* for messages */
    int error;      /* 0, or EVUTIL_EAI_* */
};

int
redis_resolve_is_numeric(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static void
resolve_free(struct redis_resolve *resolve)
{
    if (resolve->done)
        event_free(resolve->done);
    if (resolve->dns)
        evdns_base_free(resolve->dns, 0);
    free(resolve);
}

static void
on_done(evutil_socket_t fd, short events, void *context)
{
    struct redis_resolve *resolve = context;
    struct err err = ERR_INIT;
    (void)fd, (void)events;
    if (resolve->error)
        err_set(&err, ERR_UNAVAILABLE, 0, "the name of Redis's host, %s, cannot be resolved (%s)",
                resolve->host, evutil_gai_strerror(resolve->error));
    if (resolve->on_resolved)
        resolve->on_resolved(resolve->context, resolve->error ? NULL : resolve->address,
                             resolve->error ? &err : NULL);
    resolve_free(resolve);
}

static void
note_address(struct redis_resolve *resolve, const struct evutil_addrinfo *found)
{
    const void *address = NULL;
    if (found->ai_family == AF_INET)
        address = &((const struct sockaddr_in *)(const void *)found->ai_addr)->sin_addr;
    else if (found->ai_family == AF_INET6)
        address = &((const struct sockaddr_in6 *)(const void *)found->ai_addr)->sin6_addr;
    if (!address || !inet_ntop(found->ai_family, address, resolve->address, REDIS_ADDRESS_SIZE))
        resolve->error = EVUTIL_EAI_FAMILY;
}

static void
on_answer(int error, struct evutil_addrinfo *found, void *context)
{
    struct redis_resolve *resolve = context;
    resolve->request = NULL;
    resolve->error = error;
    if (!error && found)
        note_address(resolve, found);
    else if (!error)
        resolve->error = EVUTIL_EAI_NONAME;
    if (found)
        evutil_freeaddrinfo(found);
    event_active(resolve->done, EV_TIMEOUT, 0);
}

struct redis_resolve *
redis_resolve_start(struct event_base *base, const char *host, redis_resolve_fn *on_resolved,
                    void *context, struct err *err)
{
    const struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct redis_resolve *resolve = calloc(1, sizeof(*resolve));
    if (resolve) {
        resolve->done = event_new(base, -1, 0, on_done, resolve);
        resolve->dns = evdns_base_new(base, EVDNS_BASE_INITIALIZE_NAMESERVERS |
                                                EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    }
    if (!resolve || !resolve->done || !resolve->dns) {
        err_set(err, ERR_UNAVAILABLE, 0,
                "the name of Redis's host cannot be resolved: no resolver");
        if (resolve)
            resolve_free(resolve);
        return NULL;
    }
    resolve->on_resolved = on_resolved;
    resolve->context = context;
    strncpy(resolve->host, host, sizeof(resolve->host) - 1);
    struct evdns_getaddrinfo_request *request =
        evdns_getaddrinfo(resolve->dns, host, NULL, &hints, on_answer, resolve);
    /* It answers at once for what /etc/hosts has; then there is no request. */
    resolve->request = request;
    return resolve;
}

void
redis_resolve_cancel(struct redis_resolve *resolve)
{
    resolve->on_resolved = NULL;
    if (resolve->request) /* answers, with a failure, on its own time */
        evdns_getaddrinfo_cancel(resolve->request);
}
