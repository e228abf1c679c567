/* What the bodies of all requests for a program have in common. Complaints go to validation. */
#ifndef RETORT_REQUEST_BODY_H
#define RETORT_REQUEST_BODY_H

#include "api/buffer.h"
#include "api/validation.h"
#include "common/config.h"
#include "common/err.h"
#include "common/job.h"

/* The body as an object, free with json_free(); NULL with a complaint: it is none. */
struct json_value *request_body_object(const struct buffer *body, struct validation *validation);
/* A complaint without an input. */
void request_body_complain(struct validation *validation, const char *type, const char *field,
                           const char *message);
/* Text of a string member, borrowed; NULL and a complaint when it is something else. */
const char *request_body_text(const struct json_value *value, const char *field,
                              struct validation *validation, size_t *size);
/* -1: TOO_LARGE, with a sentence that names the limit. what: of the sentence, "code". */
int request_body_check_size(const char *what, size_t size, const char *limit_name, uint64_t limit,
                            struct err *err);
/* Copies the member "code", at most MAX_CODE_BYTES, into code. -1: err is set. */
int request_body_take_code(const struct json_value *object, const struct config *config,
                           struct bytes *code, struct validation *validation, struct err *err);
/* Copies the member "stdin", string or null, at most MAX_STDIN_BYTES, into input; the same. */
int request_body_take_stdin(const struct json_value *object, const struct config *config,
                            struct bytes *input, struct validation *validation, struct err *err);
/*
 * The member "timeout" in seconds, with or without a fraction: null or none leaves *timeout_ms.
 * least_s 0: anything above 0, and more than most_ms is most_ms; else a whole range to keep to.
 */
void request_body_take_seconds(const struct json_value *object, uint32_t least_s, uint32_t most_ms,
                               uint32_t *timeout_ms, struct validation *validation);

#endif
