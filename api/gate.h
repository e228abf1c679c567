/*
 * Who may ask, and how often. At the end of the headers a request is given to its key, or refused;
 * then a token is taken from the key's bucket, in Redis, which all API processes share.
 *
 * Without keys whoever reaches the port is served. On a loopback address that is this machine, and
 * a page in its browser, which must not be another site's: Host must name this machine, and so must
 * Origin where there is one; headers of a proxy say that others are let in, and are refused.
 */
#ifndef RETORT_GATE_H
#define RETORT_GATE_H

#include <stdbool.h>

#include "api/exchange.h"
#include "api/key_store.h"
#include "common/redis_script.h"

struct gate {
    const struct key_store *keys; /* NULL: everybody is anonymous */
    bool loopback;                /* without keys: what listens does so on a loopback address */
    struct redis_script rate;
};

/* keys is borrowed, may be NULL. */
void gate_init(struct gate *gate, const struct key_store *keys, bool loopback);
/* After the connection of app->records is freed. */
void gate_fini(struct gate *gate);

/*
 * For a route that wants a key: 0, and exchange->caller is set, or NULL where there are no keys; or
 * the status to refuse it with (401, 403), and *sentence. Adds headers.
 */
int gate_identify(struct exchange *exchange, const char **sentence);
/*
 * Takes a token of exchange->caller, and then calls done once, maybe at once: with status 0, or
 * with what to refuse it with (429, 503). Adds headers. Until then the exchange may be abandoned.
 */
typedef void gate_done_fn(struct exchange *exchange, int status, const char *sentence);
void gate_admit(struct exchange *exchange, gate_done_fn *done);

#endif
