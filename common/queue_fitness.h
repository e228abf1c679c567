/* Asks the Redis that a queue connects to whether it can carry one (redis_fitness.h). */
#ifndef RETORT_QUEUE_FITNESS_H
#define RETORT_QUEUE_FITNESS_H

#include "common/redis.h"

struct queue_fitness {
    uint32_t connections; /* that this process may open */
    void (*on_unfit)(void *context, const struct err *err);
    void *context;
    bool known; /* the first answer has come: from then on trouble is only logged */
};

/* Sends INFO; after each time that connection comes up. fitness must outlive the connection. */
void queue_fitness_ask(struct queue_fitness *fitness, struct redis_connection *connection);

#endif
