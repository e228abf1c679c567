#include "api/error_body.h"

#include "api/http.h"
#include "api/json_writer.h"

/* The words of OpenAI's API. */
static const char *
type_of(int status)
{
    switch (status) {
    case HTTP_UNAUTHORIZED:
        return "authentication_error";
    case HTTP_FORBIDDEN:
        return "permission_error";
    case HTTP_NOT_FOUND:
        return "not_found_error";
    case HTTP_TOO_MANY_REQUESTS:
        return "rate_limit_error";
    default:
        return status < HTTP_INTERNAL_ERROR ? "invalid_request_error" : "server_error";
    }
}

void
error_body_put_member(struct buffer *out, const struct error_body *error)
{
    json_put_member(out, "error");
    buffer_putc(out, '{');
    json_put_text(out, "code", error->code);
    json_put_text(out, "message", error->sentence);
    json_put_bool(out, "retryable", error->retryable);
    json_put_text(out, "type", type_of(error->status));
    json_put_text(out, "param", error->param);
    buffer_putc(out, '}');
}

void
error_body_put(struct buffer *out, const struct error_body *error)
{
    buffer_putc(out, '{');
    json_put_text(out, "detail", error->sentence);
    error_body_put_member(out, error);
    buffer_putc(out, '}');
}
