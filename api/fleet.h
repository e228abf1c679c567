/* What this process knows of queues and workers, beside queue_client_fleet(): whether it is so. */
#ifndef RETORT_FLEET_H
#define RETORT_FLEET_H

#include "common/err.h"
#include "common/queue.h"

struct app;

/* A view that is older is none. Workers are dead after as much. */
#define FLEET_FRESH_MS 5000

/* The languages of app are looked after, also while nobody serves them. */
int fleet_watch(struct app *app, struct err *err);
/* NULL: nothing is known now. Borrowed, until the loop turns. */
const struct queue_fleet *fleet_view(const struct app *app);
/*
 * A language of app's that no live worker serves, or NULL: there is none, or nothing is known. A
 * job in the language `ran` has ended at ran_us: of that an older view says nothing.
 */
const char *fleet_unserved(const struct app *app, const char *ran, uint64_t ran_us);

#endif
