#include "admin/fleet.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/element.h"

/* Keys that one step of a scan looks at. */
#define SCAN_COUNT 1000

/* Where the answer to one of many questions goes. */
struct place {
    struct fleet *fleet;
    size_t index;
};

static void *
grow(struct fleet *fleet, void *list, size_t count, size_t element_bytes)
{
    char *grown = reallocarray(list, count + 1, element_bytes);

    if (!grown) {
        (void)err_set(&fleet->failed, ERR_SYSTEM, ENOMEM, "reading the queue");
        return NULL;
    }
    memset(grown + count * element_bytes, 0, element_bytes);
    return grown;
}

static void
add_foreign(struct fleet *fleet, const char *key, size_t size, const char *why)
{
    void *list = grow(fleet, fleet->foreign, fleet->foreign_count, sizeof(*fleet->foreign));

    if (!list)
        return;
    fleet->foreign = list;
    struct fleet_foreign *foreign = &fleet->foreign[fleet->foreign_count];
    foreign->key = malloc(size + 1);
    if (!foreign->key)
        return;
    memcpy(foreign->key, key, size);
    foreign->key_size = size;
    (void)snprintf(foreign->why, sizeof(foreign->why), "%s", why);
    fleet->foreign_count++;
}

/* An error that Redis answered with: something else stands under the key. */
static void
note_refusal(struct fleet *fleet, const char *kind, const char *name,
             const struct redis_reply *reply, const struct err *err)
{
    char key[QUEUE_KEY_SIZE];

    if (!err || !reply)
        return;
    (void)snprintf(key, sizeof(key), "%s%s", kind, name);
    add_foreign(fleet, key, strlen(key), err->text);
}

static bool
is_named(const char *name, size_t size, size_t room)
{
    char text[JOB_WORKER_SIZE];
    struct err ignored = ERR_INIT;

    if (size >= room || memchr(name, '\0', size))
        return false;
    memcpy(text, name, size);
    text[size] = '\0';
    return queue_name_check("name", text, (unsigned)room, &ignored) == 0;
}

static struct fleet_worker *
add_worker(struct fleet *fleet, const char *id, size_t size)
{
    for (size_t i = 0; i < fleet->worker_count; i++) {
        struct fleet_worker *worker = &fleet->workers[i];
        if (strlen(worker->id) == size && memcmp(worker->id, id, size) == 0)
            return worker;
    }
    void *list = grow(fleet, fleet->workers, fleet->worker_count, sizeof(*fleet->workers));
    if (!list)
        return NULL;
    fleet->workers = list;
    struct fleet_worker *worker = &fleet->workers[fleet->worker_count++];
    memcpy(worker->id, id, size);
    worker->beat_ms = -1;
    return worker;
}

static void
add_queue(struct fleet *fleet, const char *language, size_t size)
{
    for (size_t i = 0; i < fleet->queue_count; i++) {
        const char *known = fleet->queues[i].language;
        if (strlen(known) == size && memcmp(known, language, size) == 0)
            return;
    }
    void *list = grow(fleet, fleet->queues, fleet->queue_count, sizeof(*fleet->queues));
    if (!list)
        return;
    fleet->queues = list;
    memcpy(fleet->queues[fleet->queue_count++].language, language, size);
}

/* ---- first questions ---- */

static void
on_registry(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct fleet *fleet = context;

    note_refusal(fleet, "workers", "", reply, err);
    for (size_t i = 0; i + 1 < redis_reply_count(reply); i += 2) {
        size_t size, score_size;
        const char *id = redis_reply_bytes(redis_reply_item(reply, i), &size);
        const char *score = redis_reply_bytes(redis_reply_item(reply, i + 1), &score_size);
        if (!id || !score)
            continue;
        if (!is_named(id, size, JOB_WORKER_SIZE)) {
            add_foreign(fleet, id, size, "a worker's name that is none, in the registry");
            continue;
        }
        struct fleet_worker *worker = add_worker(fleet, id, size);
        double beat = strtod(score, NULL);
        if (worker)
            worker->beat_ms = beat > 0 && beat < 1e15 ? (int64_t)beat : 0;
    }
}

static void
on_dead(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct fleet *fleet = context;

    note_refusal(fleet, "dead", "", reply, err);
    fleet->dead_letters = redis_reply_int(reply, 0);
}

/* ---- the keys that are there ---- */

struct scan {
    struct fleet *fleet;
    size_t prefix_size;
    char cursor[24];
    struct err failed;
};

/* name: the key without the prefix. */
static void
note_key(struct fleet *fleet, const char *name, size_t size)
{
    static const char queue[] = "queue:", inflight[] = "inflight:";
    const size_t queue_size = sizeof(queue) - 1, inflight_size = sizeof(inflight) - 1;

    if (size > queue_size && memcmp(name, queue, queue_size) == 0) {
        if (is_named(name + queue_size, size - queue_size, JOB_LANGUAGE_SIZE))
            add_queue(fleet, name + queue_size, size - queue_size);
        else
            add_foreign(fleet, name, size, "a queue of what is no language");
    } else if (size > inflight_size && memcmp(name, inflight, inflight_size) == 0) {
        if (is_named(name + inflight_size, size - inflight_size, JOB_WORKER_SIZE))
            (void)add_worker(fleet, name + inflight_size, size - inflight_size);
        else
            add_foreign(fleet, name, size, "jobs of what is no worker");
    }
}

static void
on_scanned(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct scan *scan = context;
    size_t size;
    const char *cursor = redis_reply_bytes(redis_reply_item(reply, 0), &size);
    const struct redis_reply *keys = redis_reply_item(reply, 1);

    if (err)
        scan->failed = *err;
    (void)snprintf(scan->cursor, sizeof(scan->cursor), "%s", cursor ? cursor : "0");
    for (size_t i = 0; i < redis_reply_count(keys); i++) {
        const char *key = redis_reply_bytes(redis_reply_item(keys, i), &size);
        if (key && size > scan->prefix_size)
            note_key(scan->fleet, key + scan->prefix_size, size - scan->prefix_size);
    }
}

/* The prefix may have what means something in a pattern. */
static void
make_pattern(const char *prefix, char pattern[QUEUE_KEY_SIZE])
{
    size_t used = 0;

    for (; *prefix; prefix++) {
        if (strchr("*?[]\\^-", *prefix))
            pattern[used++] = '\\';
        pattern[used++] = *prefix;
    }
    memcpy(pattern + used, "[qi]*:*", sizeof("[qi]*:*"));
}

static int
scan_keys(struct fleet *fleet, struct session *session, struct err *err)
{
    struct scan scan = {.fleet = fleet, .prefix_size = strlen(session->prefix), .cursor = "0"};
    char pattern[QUEUE_KEY_SIZE];

    make_pattern(session->prefix, pattern);
    do {
        struct redis_command command;
        redis_command_init(&command, "SCAN");
        redis_command_add_text(&command, scan.cursor);
        redis_command_add_text(&command, "MATCH");
        redis_command_add_text(&command, pattern);
        redis_command_add_text(&command, "COUNT");
        redis_command_add_int(&command, SCAN_COUNT);
        session_send(session, &command, on_scanned, &scan);
        if (session_wait(session, err) < 0)
            return -1;
        if (scan.failed.code != ERR_NONE) {
            *err = scan.failed;
            return err_wrap(err, "SCAN");
        }
    } while (strcmp(scan.cursor, "0") != 0);
    return 0;
}

/* ---- of each worker and queue ---- */

static void
copy_text(char *text, size_t room, const char *data, size_t size)
{
    (void)snprintf(text, room, "%.*s", (int)(size < room ? size : room - 1), data);
}

/* Of "slots:<language>" or "busy:<language>". */
static void
note_usage(struct fleet_worker *worker, const char *language, const char *value, bool busy)
{
    struct fleet_usage *usage = NULL;
    uint64_t number = 0;

    if (!is_named(language, strlen(language), JOB_LANGUAGE_SIZE) ||
        !config_parse_uint(value, &number))
        return;
    for (size_t i = 0; i < worker->usage_count; i++) {
        if (strcmp(worker->usages[i].language, language) == 0)
            usage = &worker->usages[i];
    }
    if (!usage && worker->usage_count == LANGUAGES_MOST)
        return;
    if (!usage) {
        usage = &worker->usages[worker->usage_count++];
        (void)snprintf(usage->language, sizeof(usage->language), "%s", language);
    }
    *(busy ? &usage->busy : &usage->slots) = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

static void
note_field(struct fleet_worker *worker, const char *name, const char *value, size_t size)
{
    uint64_t number = 0;

    if (strcmp(name, "state") == 0)
        copy_text(worker->state, sizeof(worker->state), value, size);
    else if (strcmp(name, "version") == 0)
        copy_text(worker->version, sizeof(worker->version), value, size);
    else if (strcmp(name, "host") == 0)
        copy_text(worker->host, sizeof(worker->host), value, size);
    else if (strcmp(name, "started") == 0 && config_parse_uint(value, &number))
        worker->started_ms = number > INT64_MAX ? 0 : (int64_t)number;
    else if (strncmp(name, "slots:", 6) == 0)
        note_usage(worker, name + 6, value, false);
    else if (strncmp(name, "busy:", 5) == 0)
        note_usage(worker, name + 5, value, true);
}

static void
on_heartbeat(void *context, const struct redis_reply *reply, const struct err *err)
{
    const struct place *place = context;
    struct fleet_worker *worker = &place->fleet->workers[place->index];

    note_refusal(place->fleet, "worker:", worker->id, reply, err);
    worker->described = redis_reply_count(reply) > 0;
    for (size_t i = 0; i + 1 < redis_reply_count(reply); i += 2) {
        size_t name_size, size;
        const char *name = redis_reply_bytes(redis_reply_item(reply, i), &name_size);
        const char *value = redis_reply_bytes(redis_reply_item(reply, i + 1), &size);
        if (name && value)
            note_field(worker, name, value, size);
    }
}

static void
on_in_flight(void *context, const struct redis_reply *reply, const struct err *err)
{
    const struct place *place = context;
    struct fleet_worker *worker = &place->fleet->workers[place->index];

    note_refusal(place->fleet, "inflight:", worker->id, reply, err);
    worker->in_flight = redis_reply_int(reply, 0);
}

static void
on_depth(void *context, const struct redis_reply *reply, const struct err *err)
{
    const struct place *place = context;
    struct fleet_queue *queue = &place->fleet->queues[place->index];

    note_refusal(place->fleet, "queue:", queue->language, reply, err);
    queue->depth = redis_reply_int(reply, 0);
}

static void
on_oldest(void *context, const struct redis_reply *reply, const struct err *err)
{
    const struct place *place = context;
    struct fleet_queue *queue = &place->fleet->queues[place->index];
    size_t size;
    const char *element = redis_reply_bytes(reply, &size);

    (void)err;
    if (element)
        (void)element_id(element, size, queue->oldest);
}

static void
on_submitted(void *context, const struct redis_reply *reply, const struct err *err)
{
    const struct place *place = context;
    uint64_t submitted = 0;
    size_t size;
    const char *text = redis_reply_bytes(reply, &size);

    if (!err && text && config_parse_uint(text, &submitted) && submitted <= INT64_MAX)
        place->fleet->queues[place->index].oldest_us = (int64_t)submitted;
}

static void
ask_worker(struct session *session, struct place *place)
{
    const char *id = place->fleet->workers[place->index].id;
    struct queue_key heartbeat = session_key(session, "worker:", id);
    struct queue_key inflight = session_key(session, "inflight:", id);

    session_ask(session, (const char *const[]){"HGETALL", heartbeat.text, NULL}, on_heartbeat,
                place);
    session_ask(session, (const char *const[]){"LLEN", inflight.text, NULL}, on_in_flight, place);
}

static void
ask_queue(struct session *session, struct place *place)
{
    struct queue_key key =
        session_key(session, "queue:", place->fleet->queues[place->index].language);

    session_ask(session, (const char *const[]){"LLEN", key.text, NULL}, on_depth, place);
    session_ask(session, (const char *const[]){"LINDEX", key.text, "-1", NULL}, on_oldest, place);
}

static void
ask_oldest(struct session *session, struct place *place)
{
    struct queue_key key = session_key(session, "job:", place->fleet->queues[place->index].oldest);

    if (place->fleet->queues[place->index].oldest[0])
        session_ask(session, (const char *const[]){"HGET", key.text, "submitted", NULL},
                    on_submitted, place);
}

/* question: sent for each of count. */
static int
ask_each(struct fleet *fleet, struct session *session, size_t count,
         void (*question)(struct session *session, struct place *place), struct err *err)
{
    struct place *places = calloc(count + 1, sizeof(*places));

    if (!places)
        return err_set(err, ERR_SYSTEM, ENOMEM, "reading the queue");
    for (size_t i = 0; i < count; i++) {
        places[i] = (struct place){fleet, i};
        question(session, &places[i]);
    }
    int result = session_wait(session, err);
    free(places);
    return result;
}

int
fleet_read(struct fleet *fleet, struct session *session, struct err *err)
{
    struct queue_key workers = session_key(session, "workers", "");
    struct queue_key dead = session_key(session, "dead", "");

    *fleet = (struct fleet){.now_us = 0};
    session_ask_time(session, &fleet->now_us);
    session_ask(session,
                (const char *const[]){"ZRANGE", workers.text, "0", "-1", "WITHSCORES", NULL},
                on_registry, fleet);
    session_ask(session, (const char *const[]){"LLEN", dead.text, NULL}, on_dead, fleet);
    if (session_wait(session, err) < 0 || scan_keys(fleet, session, err) < 0 ||
        ask_each(fleet, session, fleet->worker_count, ask_worker, err) < 0 ||
        ask_each(fleet, session, fleet->queue_count, ask_queue, err) < 0 ||
        ask_each(fleet, session, fleet->queue_count, ask_oldest, err) < 0)
        return -1;
    if (fleet->failed.code != ERR_NONE) {
        *err = fleet->failed;
        return -1;
    }
    return 0;
}

void
fleet_fini(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->foreign_count; i++)
        free(fleet->foreign[i].key);
    free(fleet->foreign);
    free(fleet->workers);
    free(fleet->queues);
    *fleet = (struct fleet){.now_us = 0};
}
