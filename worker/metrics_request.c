#include "worker/metrics_request.h"

#include <string.h>

/* Longer ones ask for nothing that is here. */
#define LINE_BYTES 256

static enum metrics_request_kind
kind_of_path(const char *path)
{
    size_t length = strcspn(path, "?");

    if (length == strlen("/metrics") && strncmp(path, "/metrics", length) == 0)
        return METRICS_REQUEST_PAGE;
    if (length == strlen("/healthz") && strncmp(path, "/healthz", length) == 0)
        return METRICS_REQUEST_HEALTH;
    return METRICS_REQUEST_UNKNOWN;
}

struct metrics_request
metrics_request_read(const char *head, size_t size)
{
    struct metrics_request request = {.kind = METRICS_REQUEST_MALFORMED};
    char line[LINE_BYTES];
    size_t kept = size < sizeof(line) - 1 ? size : sizeof(line) - 1;
    char *rest = line;

    if (kept > 0)
        memcpy(line, head, kept);
    line[kept] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    const char *method = strsep(&rest, " ");
    const char *path = strsep(&rest, " ");
    if (!path || !rest || strncmp(rest, "HTTP/1.", 7) != 0)
        return request;
    request.head_only = strcmp(method, "HEAD") == 0;
    request.kind = request.head_only || strcmp(method, "GET") == 0 ? kind_of_path(path)
                                                                   : METRICS_REQUEST_NOT_ALLOWED;
    return request;
}
