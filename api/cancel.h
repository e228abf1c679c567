/* POST /v1/cancel. */
#ifndef RETORT_CANCEL_H
#define RETORT_CANCEL_H

#include "api/exchange.h"

void cancel_handle(struct exchange *exchange);

#endif
