/* POST /v1/files: a form with a file, which goes to the disk as it comes. */
#ifndef RETORT_UPLOAD_H
#define RETORT_UPLOAD_H

#include "api/exchange.h"

/* At the end of the headers: takes the body from now on. -1: it will not. */
int upload_begin(struct exchange *exchange, struct err *err);
/* The body is complete. */
void upload_handle(struct exchange *exchange);

#endif
