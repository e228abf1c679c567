/* Which handler answers a request, and whether it may: decided from the headers alone. */
#ifndef RETORT_ROUTES_H
#define RETORT_ROUTES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/buffer.h"
#include "api/http.h"
#include "common/config.h"
#include "common/err.h"
#include "common/metrics.h"

struct exchange;

enum route_content { ROUTE_CONTENT_any, ROUTE_CONTENT_json, ROUTE_CONTENT_multipart };
enum route_access { ROUTE_ACCESS_open, ROUTE_ACCESS_key };

struct route {
    enum http_method method;
    const char *path;
    void (*handler)(struct exchange *exchange);
    /*
     * NULL, or called at the end of the headers, before the body is read: may have it taken piece
     * by piece (exchange->on_body). -1: the request is answered with err.
     */
    int (*begin)(struct exchange *exchange, struct err *err);
    bool takes_body;
    size_t limit_offset;    /* of the uint64_t in struct config; valid when takes_body */
    const char *limit_name; /* the setting */
    enum route_content content;
    enum route_access access;
    const char *summary;
};

struct route_decision {
    const struct route *route; /* NULL when the path is unknown or the method not allowed */
    int status;             /* 0: go on, read the body, call the handler; otherwise answer this */
    char sentence[256];     /* for the answer; "" with 204 */
    char allow[64];         /* value of the Allow header, or "" */
    char id[ROUTE_ID_SIZE]; /* what stands for {id} in the path, or "" */
    uint64_t body_limit;    /* valid when status is 0 */
    bool expects_continue;  /* valid when status is 0: send 100 Continue first */
};

void routes_decide(const struct http_request *request, const struct config *config,
                   struct route_decision *decision);
/*
 * The label `route` of metrics: the paths, each once, and then "other", for requests that no route
 * has. Number of the path of route, which may be NULL.
 */
#define ROUTES_LABEL_OTHER UINT_MAX
struct metric_names routes_labels(void);
unsigned routes_label(const struct route *route);
/* Appends the routes as members of a JSON object, "METHOD path": "sentence". */
void routes_put_list(struct buffer *out);

#endif
