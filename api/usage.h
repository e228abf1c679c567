/*
 * What each key has used, by day: counters in Redis that all API processes add to, kept for 40
 * days. The gate counts `requests` and `rate_limited`; what was run and stored is noted here.
 */
#ifndef RETORT_USAGE_H
#define RETORT_USAGE_H

#include <stdint.h>

#include "api/exchange.h"
#include "common/redis_script.h"

/* The rows of usage.def that are noted here; 0: no more of it. */
struct usage_amounts {
#define USAGE_COUNTER(field, shown, divisor)
#define USAGE_AMOUNT(field, shown, divisor) uint64_t field;
#include "api/usage.def"
#undef USAGE_COUNTER
#undef USAGE_AMOUNT
};

struct usage {
    struct redis_script add, read;
};

void usage_init(struct usage *usage);
/* After the connection of app->records is freed. */
void usage_fini(struct usage *usage);
/*
 * Adds to what the key with that label has used today; NULL (no key) is nothing. Answers need not
 * wait for it: it is sent, and lost if Redis is away.
 */
void usage_note(struct app *app, const char *label, const struct usage_amounts *amounts);
/* GET /v1/usage: the caller's own counters, ?days=1 to 40. */
void usage_handle(struct exchange *exchange);

#endif
