#include "api/http_response.h"

static const char *
date_text(struct http_date *date)
{
    time_t now = time(NULL);
    if (now != date->second) {
        struct tm parts;
        /* IMF-fixdate (RFC 9110, 5.6.7); the C locale, since nothing here sets another. */
        strftime(date->text, sizeof(date->text), "%a, %d %b %Y %H:%M:%S GMT",
                 gmtime_r(&now, &parts));
        date->second = now;
    }
    return date->text;
}

static const char *
connection_header(const struct http_response_head *head)
{
    if (!head->keep_alive)
        return "Connection: close\r\n";
    return head->minor_version == 0 ? "Connection: keep-alive\r\n" : "";
}

void
http_response_put_head(struct buffer *out, const struct http_response_head *head,
                       struct http_date *date)
{
    buffer_printf(out,
                  "HTTP/1.1 %d %s\r\nDate: %s\r\nX-Request-ID: %s\r\nCache-Control: %s\r\n"
                  "X-Content-Type-Options: nosniff\r\n%s",
                  head->status, http_status_reason(head->status), date_text(date), head->request_id,
                  head->cache_control ? head->cache_control : "no-store", connection_header(head));
    if (head->streamed)
        buffer_printf(out, "Content-Type: %s\r\n%s", head->content_type,
                      head->minor_version > 0 ? "Transfer-Encoding: chunked\r\n" : "");
    else if (head->status != HTTP_NO_CONTENT && head->status != HTTP_NOT_MODIFIED)
        buffer_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                      head->content_type ? head->content_type : "application/json",
                      head->body_bytes);
    buffer_append(out, head->headers->data, head->headers->size);
    buffer_append(out, "\r\n", 2);
}
