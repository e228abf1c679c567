#include "api/file_records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/job.h"

/* A record's reply: its id, and the fields of files_common.lua. */
#define RECORD_ITEMS 9

struct file_call {
    LIST_ENTRY(file_call) entry; /* of records->calls */
    struct file_records *records;
    file_record_fn *on_record; /* one of the two; none: forgotten */
    file_page_fn *on_page;
    void *context;
};

#define COMMON "api/scripts/files_common.lua"
REDIS_SCRIPT_EMBED_TWO(file_put_text, COMMON, "api/scripts/file_put.lua");
REDIS_SCRIPT_EMBED_TWO(file_get_text, COMMON, "api/scripts/file_get.lua");
REDIS_SCRIPT_EMBED_TWO(file_list_text, COMMON, "api/scripts/file_list.lua");
REDIS_SCRIPT_EMBED_TWO(file_delete_text, COMMON, "api/scripts/file_delete.lua");

void
file_records_init(struct file_records *records, struct redis_connection *connection,
                  const char *prefix)
{
    static const char *const texts[FILE_SCRIPT_COUNT] = {
        [FILE_SCRIPT_PUT] = file_put_text,
        [FILE_SCRIPT_GET] = file_get_text,
        [FILE_SCRIPT_LIST] = file_list_text,
        [FILE_SCRIPT_DELETE] = file_delete_text,
    };

    *records = (struct file_records){.connection = connection, .prefix = prefix};
    LIST_INIT(&records->calls);
    for (int i = 0; i < FILE_SCRIPT_COUNT; i++)
        records->scripts[i] = (struct redis_script)REDIS_SCRIPT_INIT(texts[i]);
}

static void
drop(struct file_call *call)
{
    LIST_REMOVE(call, entry);
    free(call);
}

void
file_records_fini(struct file_records *records)
{
    struct file_call *call;

    for (int i = 0; i < FILE_SCRIPT_COUNT; i++)
        redis_script_fini(&records->scripts[i]);
    while ((call = LIST_FIRST(&records->calls)))
        drop(call);
}

/* ---- ids ---------------------------------------------------------------------------------- */

static const char *const id_starts[] = {[FILE_KIND_FILE] = "file_", [FILE_KIND_ARTIFACT] = "art_"};
static const char *const kind_names[] = {
    [FILE_KIND_FILE] = "file", [FILE_KIND_ARTIFACT] = "artifact"};

int
file_new_id(enum file_kind kind, char *id, struct err *err)
{
    char random[JOB_ID_SIZE];

    if (job_new_id(random, err) < 0)
        return -1;
    snprintf(id, FILE_ID_SIZE, "%s%s", id_starts[kind], random);
    return 0;
}

bool
file_is_id(enum file_kind kind, const char *id)
{
    size_t start = strlen(id_starts[kind]);

    return strncmp(id, id_starts[kind], start) == 0 && strlen(id + start) == JOB_ID_SIZE - 1 &&
           strspn(id + start, "0123456789abcdef") == JOB_ID_SIZE - 1;
}

/* ---- replies ------------------------------------------------------------------------------ */

static int
take_text(const struct redis_reply *reply, size_t index, char *out, size_t room)
{
    size_t size;
    const char *bytes = redis_reply_bytes(redis_reply_item(reply, index), &size);

    if (!bytes || size >= room)
        return -1;
    memcpy(out, bytes, size);
    out[size] = '\0';
    return 0;
}

static int
take_number(const struct redis_reply *reply, size_t index, uint64_t *number)
{
    char text[24];

    return take_text(reply, index, text, sizeof(text)) == 0 && config_parse_uint(text, number) ? 0
                                                                                               : -1;
}

static int
take_record(const struct redis_reply *reply, struct file_record *record, struct err *err)
{
    *record = (struct file_record){.id = ""};
    if (take_text(reply, 0, record->id, sizeof(record->id)) == 0 &&
        take_text(reply, 1, record->owner, sizeof(record->owner)) == 0 &&
        take_number(reply, 2, &record->blob.bytes) == 0 &&
        take_number(reply, 3, &record->created_ms) == 0 &&
        take_number(reply, 4, &record->expires_ms) == 0 &&
        take_text(reply, 5, record->blob.sha256, sizeof(record->blob.sha256)) == 0 &&
        take_text(reply, 6, record->name, sizeof(record->name)) == 0 &&
        take_text(reply, 7, record->label, sizeof(record->label)) == 0 &&
        take_text(reply, 8, record->type, sizeof(record->type)) == 0)
        return 0;
    return err_set(err, ERR_PROTOCOL, 0, "A record of a file in Redis is not well-formed.");
}

static void
answer_record(struct file_call *call, const struct redis_reply *reply, const struct err *err)
{
    struct file_record record;
    struct err own = ERR_INIT;
    size_t count = redis_reply_count(reply);

    if (!call->on_record)
        return;
    if (!err && count == RECORD_ITEMS && take_record(reply, &record, &own) == 0)
        call->on_record(call->context, &record, NULL);
    else if (!err && count == 0)
        call->on_record(call->context, NULL, NULL);
    else {
        if (!err && own.code == ERR_NONE)
            err_set(&own, ERR_TOO_LARGE, 0,
                    "The files of this key would be more, or larger, than its quota allows.");
        call->on_record(call->context, NULL, err ? err : &own);
    }
}

static void
answer_page(struct file_call *call, const struct redis_reply *reply, const struct err *err)
{
    size_t count = redis_reply_count(reply);
    struct file_record *records = NULL;
    struct err own = ERR_INIT;

    if (!call->on_page)
        return;
    if (!err && count == 0) {
        call->on_page(call->context, NULL, 0, false, NULL);
        return;
    }
    if (!err && !(records = calloc(count, sizeof(*records))))
        err_set(&own, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
    for (size_t i = 1; records && i < count && own.code == ERR_NONE; i++)
        (void)!take_record(redis_reply_item(reply, i), &records[i - 1], &own);
    if (!err && own.code != ERR_NONE)
        err = &own;
    call->on_page(call->context, err ? NULL : records, err ? 0 : count - 1,
                  redis_reply_int(redis_reply_item(reply, 0), 0) == 1, err);
    free(records);
}

static void
on_reply(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct file_call *call = context;

    answer_record(call, reply, err);
    answer_page(call, reply, err);
    drop(call);
}

void
file_call_forget(struct file_call *call)
{
    call->on_record = NULL;
    call->on_page = NULL;
}

/* ---- calls -------------------------------------------------------------------------------- */

static struct file_call *
send_call(struct file_records *records, enum file_script script,
          const struct redis_command *command, const struct file_call *how, struct err *err)
{
    struct file_call *call = calloc(1, sizeof(*call));

    if (!call) {
        err_set(err, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
        return NULL;
    }
    *call = *how;
    call->records = records;
    LIST_INSERT_HEAD(&records->calls, call, entry);
    if (redis_script_send(&records->scripts[script], records->connection, command, on_reply, call,
                          err))
        return call;
    drop(call);
    return NULL;
}

static void
begin(struct file_records *records, enum file_script script, struct redis_command *command)
{
    redis_script_begin(&records->scripts[script], command);
    redis_command_add_text(command, records->prefix);
}

struct file_call *
file_records_put(struct file_records *records, const struct file_put *put,
                 file_record_fn *on_record, void *context, struct err *err)
{
    const struct file_record *record = put->record;
    const struct file_call how = {.on_record = on_record, .context = context};
    struct redis_command command;

    begin(records, FILE_SCRIPT_PUT, &command);
    redis_command_add_text(&command, record->owner);
    redis_command_add_text(&command, kind_names[put->kind]);
    redis_command_add_text(&command, record->id);
    redis_command_add_int(&command, (int64_t)record->blob.bytes);
    redis_command_add_int(&command, (int64_t)put->ttl_sec);
    redis_command_add_int(&command, (int64_t)records->quota_bytes);
    redis_command_add_int(&command, (int64_t)records->quota_files);
    redis_command_add_text(&command, record->blob.sha256);
    redis_command_add_text(&command, record->name);
    redis_command_add_text(&command, record->label);
    redis_command_add_text(&command, record->type);
    return send_call(records, FILE_SCRIPT_PUT, &command, &how, err);
}

struct file_call *
file_records_get(struct file_records *records, enum file_kind kind, const char *id,
                 file_record_fn *on_record, void *context, struct err *err)
{
    const struct file_call how = {.on_record = on_record, .context = context};
    struct redis_command command;

    begin(records, FILE_SCRIPT_GET, &command);
    redis_command_add_text(&command, kind_names[kind]);
    redis_command_add_text(&command, id);
    return send_call(records, FILE_SCRIPT_GET, &command, &how, err);
}

struct file_call *
file_records_list(struct file_records *records, const struct file_page *page, file_page_fn *on_page,
                  void *context, struct err *err)
{
    const struct file_call how = {.on_page = on_page, .context = context};
    struct redis_command command;

    begin(records, FILE_SCRIPT_LIST, &command);
    redis_command_add_text(&command, page->owner);
    redis_command_add_int(&command, page->most);
    redis_command_add_text(&command, page->oldest_first ? "asc" : "desc");
    redis_command_add_text(&command, page->after);
    return send_call(records, FILE_SCRIPT_LIST, &command, &how, err);
}

struct file_call *
file_records_delete(struct file_records *records, const char *owner, const char *id,
                    file_record_fn *on_record, void *context, struct err *err)
{
    const struct file_call how = {.on_record = on_record, .context = context};
    struct redis_command command;

    begin(records, FILE_SCRIPT_DELETE, &command);
    redis_command_add_text(&command, owner);
    redis_command_add_text(&command, kind_names[FILE_KIND_FILE]);
    redis_command_add_text(&command, id);
    return send_call(records, FILE_SCRIPT_DELETE, &command, &how, err);
}
