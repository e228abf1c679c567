/* GET / and GET /healthz: answered by this process alone, without the queue. */
#ifndef RETORT_HEALTH_H
#define RETORT_HEALTH_H

#include "api/exchange.h"
#include "common/languages.h"

void health_index(struct exchange *exchange);
/* GET /health: always 200; which languages have a worker that lives, as far as is known. */
void health_runtimes(struct exchange *exchange);
void health_live(struct exchange *exchange);
/* The member name: an array of their names. */
void health_put_languages(struct buffer *out, const char *name, const struct languages *languages);

#endif
