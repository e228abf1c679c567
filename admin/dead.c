#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admin/command.h"
#include "admin/element.h"
#include "admin/list_walk.h"
#include "common/codec.h"

/* Of an element, for people to recognize it by. */
#define EXCERPT_BYTES 48

static void
add_letter(struct report *report, uint64_t number, const char *data, size_t size)
{
    struct codec_letter letter;
    struct err ignored = ERR_INIT;
    bool whole = codec_unpack_letter(data, size, &letter, &ignored) == 0;
    const char *element = whole ? letter.element.data : data;
    size_t element_size = whole ? letter.element.size : size;
    char id[JOB_ID_SIZE];

    report_int(report, "number", (int64_t)number);
    if (whole)
        report_time(report, "time", letter.time_ms);
    else
        report_none(report, "time");
    report_string(report, "worker", whole ? letter.worker : "");
    if (element_id(element, element_size, id))
        report_string(report, "job", id);
    else
        report_none(report, "job");
    report_bytes(report, "size_bytes", element_size);
    report_string(report, "reason", whole ? letter.reason : "of an older version: no reason kept");
    report_excerpt(report, "beginning", element ? element : "",
                   element_size < EXCERPT_BYTES ? element_size : EXCERPT_BYTES);
    bytes_fini(&letter.element);
}

static bool
on_letter(void *context, uint64_t index, const char *data, size_t size)
{
    struct report *report = context;

    report_row(report);
    add_letter(report, index + 1, data, size);
    return false;
}

/* ---- dropping ---- */

struct answer {
    int64_t number;
    struct err failed;
};

static void
on_number(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct answer *answer = context;

    if (err)
        answer->failed = *err;
    answer->number = redis_reply_int(reply, 0);
}

static int
ask_number(struct session *session, const struct redis_command *command, int64_t *number,
           struct err *err)
{
    struct answer answer = {.number = 0};

    session_send(session, command, on_number, &answer);
    if (session_wait(session, err) < 0)
        return -1;
    if (answer.failed.code != ERR_NONE) {
        *err = answer.failed;
        return -1;
    }
    *number = answer.number;
    return 0;
}

static int
drop_all(struct command *command, const struct queue_key *key, struct err *err)
{
    struct redis_command count, drop;
    int64_t letters, dropped;

    redis_command_init(&count, "LLEN");
    redis_command_add_text(&count, key->text);
    redis_command_init(&drop, "DEL");
    redis_command_add_text(&drop, key->text);
    if (ask_number(command->session, &count, &letters, err) < 0 ||
        ask_number(command->session, &drop, &dropped, err) < 0)
        return -1;
    report_record(command->report, "dropped");
    report_int(command->report, "letters", letters);
    return 0;
}

struct wanted {
    uint64_t index;
    struct bytes letter;
    bool found, failed;
};

static bool
on_candidate(void *context, uint64_t index, const char *data, size_t size)
{
    struct wanted *wanted = context;

    if (index != wanted->index)
        return false;
    wanted->found = true;
    wanted->failed = bytes_copy(&wanted->letter, data, size) < 0;
    return true;
}

/* The letter that stood there is removed, and no other: by its bytes. */
static int
drop_letter(struct command *command, const struct queue_key *key, const struct wanted *wanted,
            struct err *err)
{
    struct redis_command drop;
    int64_t dropped;

    redis_command_init(&drop, "LREM");
    redis_command_add_text(&drop, key->text);
    redis_command_add_text(&drop, "1");
    redis_command_add_bytes(&drop, wanted->letter.data, wanted->letter.size);
    if (ask_number(command->session, &drop, &dropped, err) < 0)
        return -1;
    if (dropped == 0)
        return err_set(err, ERR_INVALID, 0, "that letter has just gone");
    report_record(command->report, "dropped");
    add_letter(command->report, wanted->index + 1, wanted->letter.data, wanted->letter.size);
    return 0;
}

static int
drop_one(struct command *command, const struct queue_key *key, uint64_t number, struct err *err)
{
    struct wanted wanted = {.index = number - 1};
    int result = list_walk(command->session, key->text, false, number, on_candidate, &wanted, err);

    if (result == 0 && wanted.failed)
        result = err_set(err, ERR_SYSTEM, ENOMEM, "reading a letter");
    if (result == 0 && !wanted.found)
        result = err_set(err, ERR_INVALID, 0, "there is no letter %u", (unsigned)number);
    if (result == 0)
        result = drop_letter(command, key, &wanted, err);
    bytes_fini(&wanted.letter);
    return result;
}

int
command_dead(struct command *command, struct err *err)
{
    struct queue_key key = session_key(command->session, "dead", "");
    const char *drop = command->options->drop;
    uint64_t number;

    if (!drop) {
        report_table(command->report, "dead");
        return list_walk(command->session, key.text, false, command->options->limit, on_letter,
                         command->report, err);
    }
    if (strcmp(drop, "all") == 0)
        return drop_all(command, &key, err);
    if (!config_parse_uint(drop, &number) || number < 1 || number > UINT32_MAX)
        return err_set(err, ERR_INVALID, 0, "--drop: \"%.40s\" is no letter's number, nor all",
                       drop);
    return drop_one(command, &key, number, err);
}
