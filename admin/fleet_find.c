/* Questions about what was read. */
#include <stdio.h>
#include <string.h>

#include "admin/fleet.h"
#include "common/queue.h"

bool
fleet_worker_lives(const struct fleet *fleet, const struct fleet_worker *worker)
{
    return worker->beat_ms >= 0 && fleet->now_us / 1000 - worker->beat_ms <= QUEUE_BEAT_EXPIRY_MS;
}

const struct fleet_worker *
fleet_find_worker(const struct fleet *fleet, const char *id)
{
    for (size_t i = 0; i < fleet->worker_count; i++) {
        if (strcmp(fleet->workers[i].id, id) == 0)
            return &fleet->workers[i];
    }
    return NULL;
}

struct fleet_usage
fleet_usage_of(const struct fleet_worker *worker, const char *language)
{
    for (size_t i = 0; i < worker->usage_count; i++) {
        if (strcmp(worker->usages[i].language, language) == 0)
            return worker->usages[i];
    }
    return (struct fleet_usage){.slots = 0};
}

int
fleet_no_such_worker(const struct fleet *fleet, const char *id, struct err *err)
{
    char there[160] = "";
    size_t used = 0;

    for (size_t i = 0; i < fleet->worker_count; i++) {
        int length = snprintf(there + used, sizeof(there) - used, "%s%s", used ? ", " : "",
                              fleet->workers[i].id);
        if (length < 0 || (size_t)length >= sizeof(there) - used) {
            there[used] = '\0';
            break;
        }
        used += (size_t)length;
    }
    return err_set(err, ERR_INVALID, 0, "there is no worker %.64s; there are: %s", id,
                   used ? there : "none");
}
