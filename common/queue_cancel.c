/* Cancelling by somebody else than the connection that waits for the job: by its name. */
#include <stdio.h>
#include <stdlib.h>

#include "common/queue_client_internal.h"

struct queue_cancel {
    LIST_ENTRY(queue_cancel) entry; /* of client->cancels, as long as the command is under way */
    struct queue_client *client;
    char name[JOB_ID_SIZE];
    queue_cancelled_fn *on_cancelled; /* NULL: forgotten */
    void *context;
};

static int send_script(struct queue_cancel *cancel, struct err *err);

static void
drop(struct queue_cancel *cancel)
{
    LIST_REMOVE(cancel, entry);
    free(cancel);
}

static void
on_reply(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct queue_cancel *cancel = context;
    struct queue_client *client = cancel->client;
    struct err failed = ERR_INIT;
    char state[32];
    size_t size;
    const char *text = redis_reply_bytes(reply, &size);
    if (queue_scripts_missing(&client->scripts, client->connection, reply)) {
        if (send_script(cancel, &failed) == 0)
            return;
        err = &failed;
    }
    (void)snprintf(state, sizeof(state), "%s", text ? text : "missing");
    if (cancel->on_cancelled)
        cancel->on_cancelled(cancel->context, err ? NULL : state, err);
    drop(cancel);
}

static int
send_script(struct queue_cancel *cancel, struct err *err)
{
    struct queue_client *client = cancel->client;
    struct redis_command command;
    queue_script_begin(&client->scripts, QUEUE_SCRIPT_CANCEL, &command);
    redis_command_add_text(&command, client->prefix);
    redis_command_add_text(&command, cancel->name);
    redis_command_add_text(&command, ""); /* the script reads the language from the record */
    redis_command_add_text(&command, "cancel");
    redis_command_add_text(&command, "");
    return redis_send(client->connection, &command, 0, on_reply, cancel, err);
}

struct queue_cancel *
queue_cancel_start(struct queue_client *client, const char *name, queue_cancelled_fn *on_cancelled,
                   void *context, struct err *err)
{
    struct queue_cancel *cancel;
    if (queue_name_check("job name", name, JOB_ID_SIZE, err) < 0)
        return NULL;
    cancel = calloc(1, sizeof(*cancel));
    if (!cancel) {
        err_set(err, ERR_SYSTEM, 0, "no memory for a cancellation");
        return NULL;
    }
    *cancel =
        (struct queue_cancel){.client = client, .on_cancelled = on_cancelled, .context = context};
    (void)snprintf(cancel->name, sizeof(cancel->name), "%s", name);
    LIST_INSERT_HEAD(&client->cancels, cancel, entry);
    if (send_script(cancel, err) < 0) {
        drop(cancel);
        return NULL;
    }
    return cancel;
}

void
queue_cancel_forget(struct queue_cancel *cancel)
{
    cancel->on_cancelled = NULL;
}

void
queue_cancel_drop_all(struct queue_client *client)
{
    struct queue_cancel *cancel = LIST_FIRST(&client->cancels), *next;
    for (; cancel; cancel = next) {
        next = LIST_NEXT(cancel, entry);
        free(cancel);
    }
    LIST_INIT(&client->cancels);
}
