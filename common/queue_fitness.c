#include "common/queue_fitness.h"

#include "common/log.h"
#include "common/redis_fitness.h"

static void
on_info(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct queue_fitness *fitness = context;
    struct err unfit = ERR_INIT;
    size_t size;
    const char *info = redis_reply_bytes(reply, &size);
    if (err && reply) /* a user without the right to ask; it may be fit all the same */
        log_err(LOG_WARNING, "redis_not_checked", err);
    if (err || !info)
        return;
    bool first = !fitness->known;
    fitness->known = true;
    if (redis_fitness_check(info, fitness->connections, &unfit) == 0)
        return;
    log_err(LOG_ERROR, "redis_unfit", &unfit);
    if (first && fitness->on_unfit)
        fitness->on_unfit(fitness->context, &unfit);
}

void
queue_fitness_ask(struct queue_fitness *fitness, struct redis_connection *connection)
{
    struct redis_command command;
    struct err err = ERR_INIT;
    redis_command_init(&command, "INFO");
    (void)redis_send(connection, &command, 0, on_info, fitness, &err);
}
