#include "admin/record.h"

#include <stdio.h>
#include <string.h>

static const char *const fields[] = {"state", "language",  "owner",   "attempts", "max_attempts",
                                     "epoch", "submitted", "claimed", "start_by", "answer_by"};

static void
read_text(const struct redis_reply *reply, size_t index, char *text, size_t room)
{
    size_t size;
    const char *data = redis_reply_bytes(redis_reply_item(reply, index), &size);

    text[0] = '\0';
    if (data && size < room)
        memcpy(text, data, size + 1);
}

static int64_t
read_number(const struct redis_reply *reply, size_t index)
{
    uint64_t value;
    size_t size;
    const char *data = redis_reply_bytes(redis_reply_item(reply, index), &size);

    if (!data || !config_parse_uint(data, &value) || value > INT64_MAX)
        return -1;
    return (int64_t)value;
}

static void
on_record(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct record *record = context;

    (void)snprintf(record->state, sizeof(record->state), "%s",
                   err ? "foreign record" : "no record");
    if (err || redis_reply_is_nil(redis_reply_item(reply, 0)))
        return;
    record->known = true;
    read_text(reply, 0, record->state, sizeof(record->state));
    read_text(reply, 1, record->language, sizeof(record->language));
    read_text(reply, 2, record->owner, sizeof(record->owner));
    record->attempts = read_number(reply, 3);
    record->max_attempts = read_number(reply, 4);
    record->epoch = read_number(reply, 5);
    record->submitted_us = read_number(reply, 6);
    record->claimed_us = read_number(reply, 7);
    record->start_by_ms = read_number(reply, 8);
    record->answer_by_ms = read_number(reply, 9);
}

void
record_ask(struct session *session, const char *id, struct record *record)
{
    struct queue_key key = session_key(session, "job:", id);
    struct redis_command command;

    *record = (struct record){.attempts = -1,
                              .max_attempts = -1,
                              .epoch = -1,
                              .submitted_us = -1,
                              .claimed_us = -1,
                              .start_by_ms = -1,
                              .answer_by_ms = -1};
    redis_command_init(&command, "HMGET");
    redis_command_add_text(&command, key.text);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        redis_command_add_text(&command, fields[i]);
    session_send(session, &command, on_record, record);
}

void
record_report_since(struct report *report, const char *name, int64_t us, int64_t now_us)
{
    if (us < 0)
        report_none(report, name);
    else
        report_ms(report, name, now_us / 1000 - us / 1000);
}

void
record_report_left(struct report *report, const char *name, int64_t ms, int64_t now_us)
{
    if (ms < 0)
        report_none(report, name);
    else
        report_ms(report, name, ms - now_us / 1000);
}

void
record_report_int(struct report *report, const char *name, int64_t value)
{
    if (value < 0)
        report_none(report, name);
    else
        report_int(report, name, value);
}
