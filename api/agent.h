/*
 * POST /api/v1/execute: {"code", "timeout"?: 1 to 30 s} to {"status", "stdout", "stderr",
 * "execution_time", "return_code"}, for clients of services with that interface.
 */
#ifndef RETORT_AGENT_H
#define RETORT_AGENT_H

#include "api/exchange.h"

/* The answer to a program that was run, or cancelled. */
void agent_put(const struct result *result, struct buffer *out);
void agent_handle(struct exchange *exchange);

#endif
