#include "api/run_records.h"

#include <stdlib.h>
#include <string.h>

#include "api/app.h"

REDIS_SCRIPT_EMBED(run_script_text, "api/scripts/run.lua");

/* Of a page: what would be more is left for the next. */
#define PAGE_BYTES 4194304

void
run_records_init(struct run_records *records, struct app *app)
{
    *records = (struct run_records){.app = app, .script = REDIS_SCRIPT_INIT(run_script_text)};
}

void
run_records_fini(struct run_records *records)
{
    redis_script_fini(&records->script);
}

/* ---- calls ---- */

static void
begin(const struct run_records *records, struct redis_command *command, const char *mode)
{
    redis_script_begin(&records->script, command);
    redis_command_add_text(command, records->app->config->redis_prefix);
    redis_command_add_text(command, mode);
}

static struct redis_script_call *
call(struct run_records *records, const struct redis_command *command, redis_reply_fn *on_reply,
     void *context, struct err *err)
{
    return redis_script_send(&records->script, records->app->records, command, on_reply, context,
                             err);
}

static void
add_keeping(const struct run_records *records, struct redis_command *command)
{
    redis_command_add_int(command, (int64_t)records->app->config->run_ttl_sec * 1000);
    redis_command_add_int(command, (int64_t)records->app->config->max_runs_kept);
}

static void
add_facts(struct redis_command *command, const struct run_facts *facts)
{
    redis_command_add_text(command, facts->language);
    redis_command_add_bytes(command, facts->metadata, facts->metadata_size);
}

static void
add_buffer(struct redis_command *command, const struct buffer *buffer)
{
    redis_command_add_bytes(command, buffer ? buffer->data : "", buffer ? buffer->size : 0);
}

struct redis_script_call *
run_records_begin(struct run_records *records, const char *owner, const struct run_facts *facts,
                  const struct buffer *const name_and_body[2], redis_reply_fn *on_reply,
                  void *context, struct err *err)
{
    struct redis_command command;

    begin(records, &command, "begin");
    redis_command_add_text(&command, facts->id);
    redis_command_add_text(&command, owner);
    add_keeping(records, &command);
    add_facts(&command, facts);
    add_buffer(&command, name_and_body[0]);
    add_buffer(&command, name_and_body[0] ? name_and_body[1] : NULL);
    return call(records, &command, on_reply, context, err);
}

struct redis_script_call *
run_records_finish(struct run_records *records, const char *owner, const struct run_facts *facts,
                   const struct run_text *text, redis_reply_fn *on_reply, void *context,
                   struct err *err)
{
    struct redis_command command;

    begin(records, &command, "finish");
    redis_command_add_text(&command, facts->id);
    redis_command_add_text(&command, owner);
    redis_command_add_int(&command, facts->created_ms);
    add_keeping(records, &command);
    add_facts(&command, facts);
    add_buffer(&command, &text->before);
    add_buffer(&command, &text->artifacts);
    add_buffer(&command, &text->after);
    return call(records, &command, on_reply, context, err);
}

static void
on_nothing(void *context, const struct redis_reply *reply, const struct err *err)
{
    (void)context, (void)reply, (void)err; /* the sweep finds it */
}

void
run_records_drop(struct run_records *records, const char *id)
{
    struct redis_command command;
    struct err err = ERR_INIT;

    begin(records, &command, "drop");
    redis_command_add_text(&command, id);
    (void)call(records, &command, on_nothing, NULL, &err);
}

struct redis_script_call *
run_records_look(struct run_records *records, const char *owner, const char *id, const char *entry,
                 redis_reply_fn *on_reply, void *context, struct err *err)
{
    struct redis_command command;

    begin(records, &command, "look");
    redis_command_add_text(&command, id);
    redis_command_add_text(&command, owner);
    redis_command_add_text(&command, entry ? entry : "");
    redis_command_add_int(&command, RUN_LOOK_EVENTS);
    return call(records, &command, on_reply, context, err);
}

struct redis_script_call *
run_records_list(struct run_records *records, const char *owner, const struct run_page *page,
                 redis_reply_fn *on_reply, void *context, struct err *err)
{
    struct redis_command command;

    begin(records, &command, "list");
    redis_command_add_text(&command, owner);
    redis_command_add_text(&command, page->after);
    redis_command_add_int(&command, page->limit);
    redis_command_add_int(&command, page->newest_first);
    redis_command_add_int(&command, PAGE_BYTES);
    return call(records, &command, on_reply, context, err);
}

struct redis_script_call *
run_records_sweep(struct run_records *records, unsigned count, redis_reply_fn *on_reply,
                  void *context, struct err *err)
{
    struct redis_command command;

    begin(records, &command, "sweep");
    redis_command_add_int(&command, count);
    return call(records, &command, on_reply, context, err);
}

/* ---- replies ---- */

/* Strings of replies end in NUL, as hiredis has them. */
static const char *
text_at(const struct redis_reply *reply, size_t index, size_t *size)
{
    size_t ignored;
    const char *text = redis_reply_bytes(redis_reply_item(reply, index), size ? size : &ignored);

    if (!text && size)
        *size = 0;
    return text ? text : "";
}

static uint64_t
number_at(const struct redis_reply *reply, size_t index)
{
    return strtoull(text_at(reply, index, NULL), NULL, 10);
}

bool
run_found_read(struct run_found *found, const char *id, const struct redis_reply *reply)
{
    *found = (struct run_found){.facts = {.id = id}, .state = ""};
    if (redis_reply_count(reply) < 4)
        return false;
    found->ended = redis_reply_int(redis_reply_item(reply, 0), 0) == 1;
    found->facts.created_ms = (int64_t)number_at(reply, 1);
    if (found->ended) {
        found->before = text_at(reply, 2, &found->before_size);
        found->artifacts = text_at(reply, 3, &found->artifacts_size);
        found->after = text_at(reply, 4, &found->after_size);
        return true;
    }
    found->facts.language = text_at(reply, 2, NULL);
    found->facts.metadata = text_at(reply, 3, &found->facts.metadata_size);
    found->state = text_at(reply, 4, NULL);
    found->claimed_us = number_at(reply, 5);
    found->answer_by_ms = (int64_t)number_at(reply, 6);
    found->now_ms = (int64_t)number_at(reply, 7);
    found->result = redis_reply_bytes(redis_reply_item(reply, 8), &found->result_size);
    return true;
}

bool
run_found_is_running(const struct run_found *found)
{
    return !found->ended && strcmp(found->state, "queued") != 0 && found->state[0] != '\0';
}
