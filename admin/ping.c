#include "admin/command.h"
#include "admin/fleet.h"

static int64_t
count_workers(const struct fleet *fleet, const char *language)
{
    int64_t count = 0;

    for (size_t i = 0; i < fleet->worker_count; i++)
        count += fleet_worker_lives(fleet, &fleet->workers[i]) &&
                 fleet_usage_of(&fleet->workers[i], language).slots > 0;
    return count;
}

int
command_ping(struct command *command, struct err *err)
{
    struct languages languages;
    struct fleet fleet;
    const char *missing = NULL;

    if (languages_parse(&languages, command->config->languages, err) < 0)
        return -1;
    int result = fleet_read(&fleet, command->session, err);
    report_table(command->report, "served");
    for (size_t i = 0; result == 0 && i < languages.count; i++) {
        const char *language = languages.list[i].name;
        int64_t workers = count_workers(&fleet, language);
        report_row(command->report);
        report_string(command->report, "language", language);
        report_int(command->report, "workers", workers);
        if (workers == 0 && !missing)
            missing = language;
    }
    if (missing)
        result = err_set(err, ERR_UNAVAILABLE, 0, "no worker that lives serves %s", missing);
    fleet_fini(&fleet);
    return result;
}
