#include "api/storage_sweep.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"

/* The lock outlives a step that waits for a slow Redis; who dies with it holds up nobody for long.
 */
#define LOCK_MS     15000
#define STEP_US     20000
#define HASH_DIGITS (DIGEST_HEX_SIZE - 1)

REDIS_SCRIPT_EMBED_TWO(storage_sweep_text, "api/scripts/files_common.lua",
                       "api/scripts/storage_sweep.lua");

static void on_timer(evutil_socket_t fd, short events, void *context);

int
storage_sweep_init(struct storage_sweep *sweep, struct event_base *base, struct err *err)
{
    sweep->script = (struct redis_script)REDIS_SCRIPT_INIT(storage_sweep_text);
    event_assign(&sweep->timer, base, -1, 0, on_timer, sweep);
    return job_new_id(sweep->name, err);
}

static void
set_timer(struct storage_sweep *sweep, uint64_t sec, unsigned us)
{
    const struct timeval delay = {.tv_sec = (time_t)sec, .tv_usec = (suseconds_t)us};

    event_add(&sweep->timer, &delay);
}

/* Until the next pass. */
static void
rest(struct storage_sweep *sweep)
{
    storage_walk_end(sweep->walk);
    sweep->walk = NULL;
    sweep->shelf = 0;
    sweep->removed = 0;
    set_timer(sweep, sweep->rest_sec, 0);
}

/* ---- a step ------------------------------------------------------------------------------- */

/* The next names, of as many shelves as it takes. */
static size_t
next_names(struct storage_sweep *sweep, char (*names)[DIGEST_HEX_SIZE])
{
    size_t count = 0;

    while (count < SWEEP_STEP_NAMES && sweep->shelf < STORAGE_SHELVES) {
        if (!sweep->walk)
            sweep->walk = storage_walk_begin(sweep->storage, sweep->shelf);
        size_t wanted = SWEEP_STEP_NAMES - count;
        size_t found = sweep->walk ? storage_walk_next(sweep->walk, names + count, wanted) : 0;
        count += found;
        if (found == wanted)
            break;
        storage_walk_end(sweep->walk);
        sweep->walk = NULL;
        sweep->shelf++;
    }
    return count;
}

static void
remove_orphans(struct storage_sweep *sweep, const struct redis_reply *reply)
{
    for (size_t i = 0; i < redis_reply_count(reply); i++) {
        size_t size;
        const char *bytes = redis_reply_bytes(redis_reply_item(reply, i), &size);
        char sha256[DIGEST_HEX_SIZE];
        if (!bytes || size != HASH_DIGITS)
            continue;
        memcpy(sha256, bytes, HASH_DIGITS);
        sha256[HASH_DIGITS] = '\0';
        sweep->removed += storage_remove_orphan(sweep->storage, sha256);
    }
}

static void
on_released(void *context, const struct redis_reply *reply, const struct err *err)
{
    (void)context;
    (void)reply;
    (void)err;
}

static void on_step(void *context, const struct redis_reply *reply, const struct err *err);

static void
send_step(struct storage_sweep *sweep, unsigned lock_ms, const char *hashes,
          redis_reply_fn *on_reply)
{
    struct redis_command command;
    struct err err = ERR_INIT;

    redis_script_begin(&sweep->script, &command);
    redis_command_add_text(&command, sweep->prefix);
    redis_command_add_text(&command, sweep->name);
    redis_command_add_int(&command, lock_ms);
    redis_command_add_text(&command, hashes);
    if (!redis_script_send(&sweep->script, sweep->connection, &command, on_reply, sweep, &err) &&
        on_reply == on_step)
        rest(sweep);
}

static void
end_pass(struct storage_sweep *sweep)
{
    size_t temporary = storage_remove_temporary(sweep->storage, SWEEP_STEP_NAMES);

    if (sweep->removed + temporary > 0)
        LOG(LOG_INFO, "storage_swept", {"contents", LOG_UINT(sweep->removed)},
            {"temporary", LOG_UINT(temporary)});
    send_step(sweep, 0, "", on_released);
    rest(sweep);
}

static void
on_step(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct storage_sweep *sweep = context;

    if (err)
        log_err(LOG_WARNING, "storage_not_swept", err);
    if (err || redis_reply_is_nil(reply)) { /* no Redis, or another one cleans up */
        rest(sweep);
        return;
    }
    remove_orphans(sweep, reply);
    if (sweep->shelf == STORAGE_SHELVES)
        end_pass(sweep);
    else
        set_timer(sweep, 0, STEP_US);
}

static void
on_timer(evutil_socket_t fd, short events, void *context)
{
    struct storage_sweep *sweep = context;
    char names[SWEEP_STEP_NAMES][DIGEST_HEX_SIZE], hashes[SWEEP_STEP_NAMES * HASH_DIGITS + 1];
    size_t count, size = 0;

    (void)fd;
    (void)events;
    count = next_names(sweep, names);
    for (size_t i = 0; i < count; i++, size += HASH_DIGITS)
        memcpy(hashes + size, names[i], HASH_DIGITS);
    hashes[size] = '\0';
    send_step(sweep, LOCK_MS, hashes, on_step);
}

void
storage_sweep_begin(struct storage_sweep *sweep)
{
    if (!event_pending(&sweep->timer, EV_TIMEOUT, NULL))
        rest(sweep);
}

void
storage_sweep_fini(struct storage_sweep *sweep)
{
    event_del(&sweep->timer);
    redis_script_fini(&sweep->script);
    storage_walk_end(sweep->walk);
    sweep->walk = NULL;
}
