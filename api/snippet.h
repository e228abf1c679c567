/*
 * POST /execute: {"code", "language", "timeout"?: s} to {"output", "error", "execution_time",
 * "success"}, for clients of services with that interface.
 */
#ifndef RETORT_SNIPPET_H
#define RETORT_SNIPPET_H

#include "api/exchange.h"

/* The answer to a program that was run, or cancelled. */
void snippet_put(const struct result *result, struct buffer *out);
void snippet_handle(struct exchange *exchange);

#endif
