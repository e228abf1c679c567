#include "api/routes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "api/agent.h"
#include "api/artifact_store.h"
#include "api/cancel.h"
#include "api/execute.h"
#include "api/files.h"
#include "api/fleet_page.h"
#include "api/header_value.h"
#include "api/health.h"
#include "api/json_writer.h"
#include "api/metrics_page.h"
#include "api/pages.h"
#include "api/probe.h"
#include "api/runs.h"
#include "api/snippet.h"
#include "api/upload.h"
#include "api/usage.h"
#include "api/web.h"

#define BEGIN_any       NULL
#define BEGIN_json      NULL
#define BEGIN_multipart upload_begin
/* For the heads of the parts; the file alone is held against the limit. */
#define MULTIPART_BYTES 65536

#define TAKES_BODY_none           0
#define TAKES_BODY_max_file_bytes 1
#define OFFSET_max_file_bytes     offsetof(struct config, max_file_bytes)
#define TAKES_BODY_max_body_bytes 1
#define OFFSET_none               0
#define OFFSET_max_body_bytes     offsetof(struct config, max_body_bytes)

static const struct route routes[] = {
#define ROUTE(method_, path_, handler_, field, name, content_, access_, summary_)                  \
    {.method = HTTP_METHOD_##method_,                                                              \
     .path = path_,                                                                                \
     .handler = handler_,                                                                          \
     .begin = BEGIN_##content_,                                                                    \
     .takes_body = TAKES_BODY_##field,                                                             \
     .limit_offset = OFFSET_##field,                                                               \
     .limit_name = #name,                                                                          \
     .content = ROUTE_CONTENT_##content_,                                                          \
     .access = ROUTE_ACCESS_##access_,                                                             \
     .summary = summary_},
#include "api/routes.def"
#undef ROUTE
};

#define ROUTE_COUNT (sizeof(routes) / sizeof(routes[0]))

static void refuse(struct route_decision *decision, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void
refuse(struct route_decision *decision, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    decision->status = status;
    vsnprintf(decision->sentence, sizeof(decision->sentence), format, arguments);
    va_end(arguments);
}

static void
add_allowed(char *allow, size_t size, enum http_method method)
{
    size_t used = strlen(allow);
    snprintf(allow + used, size - used, "%s%s", used ? ", " : "", http_method_text(method));
}

#define ID_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

/* Whether path fits the pattern; id gets what stands for {id}. */
static bool
fits(const char *pattern, const char *path, char id[ROUTE_ID_SIZE])
{
    const char *brace = strchr(pattern, '{');
    if (!brace)
        return strcmp(pattern, path) == 0;
    size_t before = (size_t)(brace - pattern);
    if (strncmp(pattern, path, before) != 0)
        return false;
    size_t length = strspn(path + before, ID_CHARACTERS);
    if (length == 0 || length >= ROUTE_ID_SIZE ||
        strcmp(path + before + length, brace + sizeof("{id}") - 1) != 0)
        return false;
    snprintf(id, ROUTE_ID_SIZE, "%.*s", (int)length, path + before);
    return true;
}

/* The first path of the table that fits: those without {id} stand before those with it. */
static const char *
find_path(const char *path, char id[ROUTE_ID_SIZE])
{
    for (int with_id = 0; with_id <= 1; with_id++)
        for (size_t i = 0; i < ROUTE_COUNT; i++)
            if ((strchr(routes[i].path, '{') != NULL) == with_id && fits(routes[i].path, path, id))
                return routes[i].path;
    return NULL;
}

static void
find_route(const struct http_request *request, struct route_decision *decision)
{
    enum http_method wanted =
        request->method == HTTP_METHOD_HEAD ? HTTP_METHOD_GET : request->method;
    bool any_path = request->method == HTTP_METHOD_OPTIONS && strcmp(request->path, "*") == 0;
    const char *path = any_path ? NULL : find_path(request->path, decision->id);
    for (size_t i = 0; path && i < ROUTE_COUNT; i++) {
        if (strcmp(routes[i].path, path) != 0)
            continue;
        if (routes[i].method == wanted)
            decision->route = &routes[i];
        add_allowed(decision->allow, sizeof(decision->allow), routes[i].method);
        if (routes[i].method == HTTP_METHOD_GET)
            add_allowed(decision->allow, sizeof(decision->allow), HTTP_METHOD_HEAD);
    }
    if (any_path)
        snprintf(decision->allow, sizeof(decision->allow), "GET, HEAD, POST");
    if (decision->allow[0])
        add_allowed(decision->allow, sizeof(decision->allow), HTTP_METHOD_OPTIONS);
}

/* The media type alone, without parameters: application/json or application/<something>+json. */
static bool
is_json(const char *content_type)
{
    size_t length = strcspn(content_type, "; \t");
    if (length == 16 && strncasecmp(content_type, "application/json", 16) == 0)
        return true;
    return length > 17 && strncasecmp(content_type, "application/", 12) == 0 &&
           strncasecmp(content_type + length - 5, "+json", 5) == 0;
}

/*
 * A browser sends application/json to another origin only after asking, so demanding it keeps web
 * pages from using a service on their visitor's own machine.
 */
static void
check_content(const struct http_request *request, struct route_decision *decision)
{
    const char *type = http_request_header(request, "content-type");
    const char *encoding = http_request_header(request, "content-encoding");
    if (decision->route->content == ROUTE_CONTENT_json && !(type && is_json(type)))
        refuse(decision, HTTP_UNSUPPORTED_MEDIA_TYPE,
               "Send the body as JSON, with the header Content-Type: application/json.");
    else if (decision->route->content == ROUTE_CONTENT_multipart &&
             !header_value_is(type, "multipart/form-data"))
        refuse(decision, HTTP_UNSUPPORTED_MEDIA_TYPE,
               "Send the file as a form, with the header Content-Type: multipart/form-data.");
    else if (encoding && strcasecmp(encoding, "identity") != 0)
        refuse(decision, HTTP_UNSUPPORTED_MEDIA_TYPE,
               "Send the body as it is; no Content-Encoding is understood.");
}

static void
check_length(const struct http_request *request, const struct config *config,
             struct route_decision *decision)
{
    const struct route *route = decision->route;
    if (!route->takes_body) {
        if (http_request_has_body(request))
            refuse(decision, HTTP_CONTENT_TOO_LARGE, "%s %s takes no request body.",
                   request->method_name, route->path);
        return;
    }
    decision->body_limit =
        *(const uint64_t *)(const void *)((const char *)config + route->limit_offset);
    if (route->content == ROUTE_CONTENT_multipart)
        decision->body_limit += MULTIPART_BYTES;
    if (!request->chunked && !request->has_length)
        refuse(decision, HTTP_LENGTH_REQUIRED,
               "Send the body with a Content-Length, or with Transfer-Encoding: chunked.");
    else if (request->has_length && request->content_length > decision->body_limit)
        refuse(decision, HTTP_CONTENT_TOO_LARGE,
               "The request body has %" PRIu64 " bytes; %s allows %" PRIu64 ".",
               request->content_length, route->limit_name, decision->body_limit);
}

static void
check_expect(const struct http_request *request, struct route_decision *decision)
{
    const char *expect = http_request_header(request, "expect");
    if (!expect || request->minor_version == 0) /* RFC 9110, 10.1.1: 1.0 has no Expect */
        return;
    if (strcasecmp(expect, "100-continue") != 0)
        refuse(decision, HTTP_EXPECTATION_FAILED, "The only Expect understood is 100-continue.");
    else
        decision->expects_continue = http_request_has_body(request);
}

void
routes_decide(const struct http_request *request, const struct config *config,
              struct route_decision *decision)
{
    *decision = (struct route_decision){.status = 0};
    find_route(request, decision);
    if (!decision->allow[0]) {
        refuse(decision, HTTP_NOT_FOUND, "There is no such path; GET / lists the endpoints.");
        return;
    }
    if (request->method == HTTP_METHOD_OPTIONS) {
        decision->status = HTTP_NO_CONTENT;
        return;
    }
    if (!decision->route) {
        refuse(decision, HTTP_METHOD_NOT_ALLOWED, "%s is not allowed here; allowed: %s.",
               request->method_name, decision->allow);
        return;
    }
    decision->allow[0] = '\0';
    if (decision->route->takes_body)
        check_content(request, decision);
    if (decision->status == 0)
        check_length(request, config, decision);
    if (decision->status == 0)
        check_expect(request, decision);
}

static const char *label_names[ROUTE_COUNT + 1];
static unsigned label_count;

struct metric_names
routes_labels(void)
{
    label_count = 0;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (routes_label(&routes[i]) == ROUTES_LABEL_OTHER)
            label_names[label_count++] = routes[i].path;
    }
    label_names[label_count] = "other";
    return (struct metric_names){label_names, label_count + 1};
}

unsigned
routes_label(const struct route *route)
{
    for (unsigned i = 0; route && i < label_count; i++) {
        if (strcmp(label_names[i], route->path) == 0)
            return i;
    }
    return ROUTES_LABEL_OTHER;
}

void
routes_put_list(struct buffer *out)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        char name[128];
        snprintf(name, sizeof(name), "%s %s", http_method_text(routes[i].method), routes[i].path);
        json_put_text(out, name, routes[i].summary);
    }
}
