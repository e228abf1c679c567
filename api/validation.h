/*
 * What is wrong with a request, in the shape that clients of such services know (FastAPI with
 * pydantic 2): {"detail": [{"type", "loc", "msg", "input", "ctx"}, ...]}, with status 422. Of very
 * many faults the first VALIDATION_MOST are told. Beside it stands "error" as error_body.h has it,
 * about the first of them.
 */
#ifndef RETORT_VALIDATION_H
#define RETORT_VALIDATION_H

#include "api/buffer.h"
#include "api/json.h"

#define VALIDATION_MOST 100

struct validation {
    unsigned count;
    struct buffer list; /* the array's elements */
    char param[128];    /* of the first; "": the body */
    char message[256];  /* of the first */
};

/* The body as a whole: loc ["body", position]. */
void validation_add_fault(struct validation *validation, const struct json_fault *fault);
/*
 * One field of the body, or the body itself when field is NULL; of a list its item `number` (from
 * 1; 0: none), and of a field or an item its member. input: shown when it is a number
 * or null (what is larger is the client's to keep), may be NULL. ctx: a member as JSON
 * ("\"gt\":0"), or NULL.
 */
struct validation_error {
    const char *type, *field, *message;
    size_t number;
    const char *member;
    const struct json_value *input;
    const char *ctx;
};
void validation_add(struct validation *validation, const struct validation_error *error);
/* Appends the whole body of the answer. */
void validation_put(const struct validation *validation, struct buffer *out);
void validation_fini(struct validation *validation);

#endif
