#include "admin/list_walk.h"

/* Elements of one reply: each may be large. */
#define STEP 16

struct walk {
    list_walk_fn *visit;
    void *context;
    bool from_right, stopped;
    uint64_t index, most;
    struct err failed;
};

static void
on_range(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct walk *walk = context;
    size_t count = redis_reply_count(reply);

    if (err)
        walk->failed = *err;
    for (size_t i = 0; i < count && !walk->stopped; i++) {
        size_t size;
        const char *element =
            redis_reply_bytes(redis_reply_item(reply, walk->from_right ? count - 1 - i : i), &size);
        if (!element || walk->index == walk->most)
            break;
        walk->stopped = walk->visit(walk->context, walk->index++, element, size);
    }
    walk->stopped = walk->stopped || count < STEP || walk->index == walk->most;
}

int
list_walk(struct session *session, const char *key, bool from_right, uint64_t most,
          list_walk_fn *visit, void *context, struct err *err)
{
    struct walk walk = {.visit = visit, .context = context, .from_right = from_right, .most = most};

    while (!walk.stopped) {
        struct redis_command command;
        int64_t at = (int64_t)walk.index;
        redis_command_init(&command, "LRANGE");
        redis_command_add_text(&command, key);
        redis_command_add_int(&command, from_right ? -at - STEP : at);
        redis_command_add_int(&command, from_right ? -at - 1 : at + STEP - 1);
        session_send(session, &command, on_range, &walk);
        if (session_wait(session, err) < 0)
            return -1;
        if (walk.failed.code != ERR_NONE) {
            *err = walk.failed;
            return -1;
        }
    }
    return 0;
}
