#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/command.h"
#include "admin/element.h"
#include "admin/fleet.h"
#include "admin/list_walk.h"
#include "admin/record.h"

struct entry {
    char id[JOB_ID_SIZE];         /* "": not readable */
    char worker[JOB_WORKER_SIZE]; /* that has it; "": it waits */
    size_t size;
    struct record record;
};

struct listing {
    struct entry *entries;
    size_t count;
    const char *worker; /* of what is being read now */
    bool failed;        /* out of memory */
};

static bool
on_element(void *context, uint64_t index, const char *element, size_t size)
{
    struct listing *listing = context;
    struct entry *grown =
        reallocarray(listing->entries, listing->count + 1, sizeof(*listing->entries));

    (void)index;
    if (!grown) {
        listing->failed = true;
        return true;
    }
    listing->entries = grown;
    struct entry *entry = &grown[listing->count++];
    *entry = (struct entry){.size = size};
    (void)element_id(element, size, entry->id);
    (void)snprintf(entry->worker, sizeof(entry->worker), "%s", listing->worker);
    return false;
}

/* A list that is none is shown by `status`. */
static int
read_list(struct command *command, struct listing *listing, const struct queue_key *key,
          struct err *err)
{
    struct err failed = ERR_INIT;

    if (list_walk(command->session, key->text, true, command->options->limit, on_element, listing,
                  &failed) == 0 ||
        !command->session->down)
        return 0;
    *err = failed;
    return -1;
}

static int
read_lists(struct command *command, const struct fleet *fleet, struct listing *listing,
           struct err *err)
{
    listing->worker = "";
    for (size_t i = 0; i < fleet->queue_count; i++) {
        struct queue_key key = session_key(command->session, "queue:", fleet->queues[i].language);
        if (read_list(command, listing, &key, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < fleet->worker_count; i++) {
        struct queue_key key = session_key(command->session, "inflight:", fleet->workers[i].id);
        listing->worker = fleet->workers[i].id;
        if (read_list(command, listing, &key, err) < 0)
            return -1;
    }
    if (listing->failed)
        return err_set(err, ERR_SYSTEM, ENOMEM, "listing jobs");
    for (size_t i = 0; i < listing->count; i++) {
        if (listing->entries[i].id[0])
            record_ask(command->session, listing->entries[i].id, &listing->entries[i].record);
    }
    return session_wait(command->session, err);
}

static void
add_row(struct report *report, const struct entry *entry, int64_t now_us)
{
    const struct record *record = &entry->record;

    report_row(report);
    report_string(report, "id", entry->id[0] ? entry->id : "-");
    report_string(report, "state", entry->id[0] ? record->state : "not readable");
    report_string(report, "language", record->language);
    report_string(report, "worker", entry->worker);
    if (!entry->id[0] || !record->known) {
        static const char *const names[] = {"attempts", "age_ms", "start_by_ms", "answer_by_ms"};
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            report_none(report, names[i]);
    } else {
        record_report_int(report, "attempts", record->attempts);
        record_report_since(report, "age_ms", record->submitted_us, now_us);
        record_report_left(report, "start_by_ms", record->start_by_ms, now_us);
        record_report_left(report, "answer_by_ms", record->answer_by_ms, now_us);
    }
    report_bytes(report, "size_bytes", entry->size);
}

static void
report_jobs(struct command *command, const struct fleet *fleet, const struct listing *listing)
{
    static const char *const names[] = {"queued", "in_flight"};

    for (size_t table = 0; table < 2; table++) {
        report_table(command->report, names[table]);
        for (size_t i = 0; i < listing->count; i++) {
            if ((listing->entries[i].worker[0] != '\0') == (table == 1))
                add_row(command->report, &listing->entries[i], fleet->now_us);
        }
    }
}

int
command_jobs(struct command *command, struct err *err)
{
    struct listing listing = {.count = 0};
    struct fleet fleet;
    int result = fleet_read(&fleet, command->session, err);

    if (result == 0)
        result = read_lists(command, &fleet, &listing, err);
    if (result == 0)
        report_jobs(command, &fleet, &listing);
    free(listing.entries);
    fleet_fini(&fleet);
    return result;
}
