#include <stdlib.h>
#include <string.h>

#include "admin/command.h"
#include "admin/fleet.h"

/* ---- Redis ---- */

struct info_row {
    const char *field, *name;
    enum { INFO_TEXT, INFO_NUMBER, INFO_BYTES, INFO_SECONDS } type;
};

static const struct info_row info_rows[] = {
    {"redis_version", "version", INFO_TEXT},
    {"uptime_in_seconds", "up_ms", INFO_SECONDS},
    {"role", "role", INFO_TEXT},
    {"connected_clients", "clients", INFO_NUMBER},
    {"used_memory", "memory_bytes", INFO_BYTES},
    {"maxmemory", "memory_limit_bytes", INFO_BYTES},
    {"maxmemory_policy", "memory_policy", INFO_TEXT},
    {"aof_enabled", "append_only_file", INFO_NUMBER},
};

/* The value of "field:value\r\n"; NULL: not there. */
static const char *
find_info(const char *info, const char *field, size_t *size)
{
    size_t length = strlen(field);

    for (const char *line = info; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, field, length) == 0 && line[length] == ':') {
            *size = strcspn(line + length + 1, "\r\n");
            return line + length + 1;
        }
    }
    return NULL;
}

static void
report_info(struct report *report, const struct info_row *row, const char *value, size_t size)
{
    uint64_t number = value ? strtoull(value, NULL, 10) : 0;

    if (!value || (row->type == INFO_BYTES && number == 0))
        report_none(report, row->name);
    else if (row->type == INFO_TEXT)
        report_text(report, row->name, value, size);
    else if (row->type == INFO_BYTES)
        report_bytes(report, row->name, number);
    else if (row->type == INFO_SECONDS)
        report_ms(report, row->name, (int64_t)(number < INT64_MAX / 1000 ? number * 1000 : 0));
    else
        report_int(report, row->name, (int64_t)number);
}

static void
on_info(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct command *command = context;
    size_t size;
    const char *info = redis_reply_bytes(reply, &size);

    report_record(command->report, "redis");
    if (err)
        report_string(command->report, "refused", err->text);
    for (size_t i = 0; info && i < sizeof(info_rows) / sizeof(info_rows[0]); i++) {
        const char *value = find_info(info, info_rows[i].field, &size);
        report_info(command->report, &info_rows[i], value, size);
    }
}

/* ---- queues and workers ---- */

/* A row for each language that waits, is served, or shall be. */
static void
add_language_row(struct report *report, const struct fleet *fleet, const char *language)
{
    const struct fleet_queue *queue = NULL;
    uint32_t workers = 0;
    uint64_t slots = 0, busy = 0;

    for (size_t i = 0; i < fleet->queue_count; i++) {
        if (strcmp(fleet->queues[i].language, language) == 0)
            queue = &fleet->queues[i];
    }
    for (size_t i = 0; i < fleet->worker_count; i++) {
        struct fleet_usage usage = fleet_usage_of(&fleet->workers[i], language);
        if (!fleet_worker_lives(fleet, &fleet->workers[i]) || usage.slots == 0)
            continue;
        workers++;
        slots += usage.slots;
        busy += usage.busy;
    }
    report_row(report);
    report_string(report, "language", language);
    report_int(report, "depth", queue ? queue->depth : 0);
    if (queue && queue->oldest_us > 0)
        report_ms(report, "oldest_ms", (fleet->now_us - queue->oldest_us) / 1000);
    else
        report_none(report, "oldest_ms");
    report_int(report, "workers", workers);
    report_int(report, "busy", (int64_t)busy);
    report_int(report, "slots", (int64_t)slots);
}

#define ROWS_MOST 256

struct names {
    const char *list[ROWS_MOST];
    size_t count;
};

static void
add_name(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->list[i], name) == 0)
            return;
    }
    if (names->count < ROWS_MOST)
        names->list[names->count++] = name;
}

static void
report_queues(const struct command *command, const struct fleet *fleet)
{
    struct languages wanted;
    struct err ignored = ERR_INIT;
    struct names names = {.count = 0};

    if (languages_parse(&wanted, command->config->languages, &ignored) == 0)
        for (size_t i = 0; i < wanted.count; i++)
            add_name(&names, wanted.list[i].name);
    for (size_t i = 0; i < fleet->queue_count; i++)
        add_name(&names, fleet->queues[i].language);
    for (size_t i = 0; i < fleet->worker_count; i++)
        for (size_t j = 0; j < fleet->workers[i].usage_count; j++)
            add_name(&names, fleet->workers[i].usages[j].language);
    report_table(command->report, "queues");
    for (size_t i = 0; i < names.count; i++)
        add_language_row(command->report, fleet, names.list[i]);
}

static void
add_worker_row(struct report *report, const struct fleet *fleet, const struct fleet_worker *worker)
{
    struct report_usage usages[LANGUAGES_MOST];

    for (size_t i = 0; i < worker->usage_count; i++)
        usages[i] = (struct report_usage){.language = worker->usages[i].language,
                                          .busy = worker->usages[i].busy,
                                          .slots = worker->usages[i].slots};
    report_row(report);
    report_string(report, "worker", worker->id);
    report_string(report, "state",
                  fleet_worker_lives(fleet, worker) ? *worker->state ? worker->state : "unknown"
                                                    : "dead");
    if (worker->beat_ms >= 0)
        report_ms(report, "beat_ms", fleet->now_us / 1000 - worker->beat_ms);
    else
        report_none(report, "beat_ms");
    report_int(report, "in_flight", worker->in_flight);
    report_usages(report, "languages", usages, worker->usage_count);
    report_string(report, "version", worker->version);
    report_string(report, "host", worker->host);
    if (worker->started_ms > 0)
        report_time(report, "started", worker->started_ms);
    else
        report_none(report, "started");
}

static void
report_totals(struct report *report, const struct fleet *fleet)
{
    int64_t queued = 0, in_flight = 0, live = 0;

    for (size_t i = 0; i < fleet->queue_count; i++)
        queued += fleet->queues[i].depth;
    for (size_t i = 0; i < fleet->worker_count; i++) {
        in_flight += fleet->workers[i].in_flight;
        live += fleet_worker_lives(fleet, &fleet->workers[i]);
    }
    report_record(report, "totals");
    report_int(report, "queued", queued);
    report_int(report, "in_flight", in_flight);
    report_int(report, "workers", live);
    report_int(report, "dead_letters", fleet->dead_letters);
}

static void
report_foreign(struct report *report, const struct fleet *fleet)
{
    report_table(report, "foreign");
    for (size_t i = 0; i < fleet->foreign_count; i++) {
        report_row(report);
        report_text(report, "key", fleet->foreign[i].key, fleet->foreign[i].key_size);
        report_string(report, "what", fleet->foreign[i].why);
    }
}

int
command_status(struct command *command, struct err *err)
{
    struct report *report = command->report;
    struct fleet fleet;

    session_ask(command->session, (const char *const[]){"INFO", NULL}, on_info, command);
    int result = fleet_read(&fleet, command->session, err);
    if (result == 0) {
        report_queues(command, &fleet);
        report_table(report, "workers");
        for (size_t i = 0; i < fleet.worker_count; i++)
            add_worker_row(report, &fleet, &fleet.workers[i]);
        report_totals(report, &fleet);
        report_foreign(report, &fleet);
    }
    fleet_fini(&fleet);
    return result;
}
