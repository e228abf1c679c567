/*
 * The one shape of everything that is refused or went wrong: the sentence twice, for clients of
 * FastAPI services ("detail") and for those of OpenAI's ("error").
 *
 *     {"detail": sentence,
 *      "error": {"code", "message": sentence, "retryable", "type", "param"}}
 */
#ifndef RETORT_ERROR_BODY_H
#define RETORT_ERROR_BODY_H

#include "api/buffer.h"

struct error_body {
    int status; /* gives the type */
    const char *code;
    const char *sentence;
    const char *param; /* the member of the request that it is about ("files[0].name"), or NULL */
    bool retryable;
};

void error_body_put(struct buffer *out, const struct error_body *error);
/* Only the member "error". */
void error_body_put_member(struct buffer *out, const struct error_body *error);

#endif
