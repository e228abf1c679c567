/* POST /v1/execute: runs a program and answers with what came of it. */
#ifndef RETORT_EXECUTE_H
#define RETORT_EXECUTE_H

#include "api/exchange.h"

void execute_handle(struct exchange *exchange);

#endif
