#include "common/queue_admin.h"

#include "common/queue_scripts.h"

/* Scripts are called by their text: an operator's commands are rare. */
static const struct queue_scripts by_text;

static void
begin(const struct queue_admin *admin, enum queue_script script, struct redis_command *command)
{
    queue_script_begin(&by_text, script, command);
    redis_command_add_text(command, admin->prefix);
}

int
queue_admin_cancel(const struct queue_admin *admin, const char *id, redis_reply_fn *on_reply,
                   void *context, struct err *err)
{
    struct redis_command command;
    begin(admin, QUEUE_SCRIPT_CANCEL, &command);
    redis_command_add_text(&command, id);
    redis_command_add_text(&command, ""); /* the script reads the language from the record */
    redis_command_add_text(&command, "cancel");
    redis_command_add_text(&command, "");
    return redis_send(admin->connection, &command, 0, on_reply, context, err);
}

static int
send_reap(const struct queue_admin *admin, const char *mode, const char *name,
          redis_reply_fn *on_reply, void *context, struct err *err)
{
    struct redis_command command;
    begin(admin, QUEUE_SCRIPT_REAP, &command);
    redis_command_add_text(&command, mode);
    redis_command_add_text(&command, name);
    return redis_send(admin->connection, &command, 0, on_reply, context, err);
}

int
queue_admin_requeue(const struct queue_admin *admin, const char *id, redis_reply_fn *on_reply,
                    void *context, struct err *err)
{
    return send_reap(admin, "requeue", id, on_reply, context, err);
}

int
queue_admin_evict(const struct queue_admin *admin, const char *worker, redis_reply_fn *on_reply,
                  void *context, struct err *err)
{
    return send_reap(admin, "evict", worker, on_reply, context, err);
}
