#include "api/fleet.h"

#include <string.h>

#include "api/app.h"
#include "common/clock.h"

int
fleet_watch(struct app *app, struct err *err)
{
    const char *names[LANGUAGES_MOST + 1] = {NULL};
    for (size_t i = 0; i < app->languages.count; i++)
        names[i] = app->languages.list[i].name;
    return queue_client_set_languages(app->queue, names, err);
}

const struct queue_fleet *
fleet_view(const struct app *app)
{
    const struct queue_fleet *fleet = queue_client_fleet(app->queue);
    bool fresh = fleet->seen_us != 0 &&
                 clock_monotonic_us() - fleet->seen_us < UINT64_C(1000) * FLEET_FRESH_MS;
    return fresh && queue_client_connected(app->queue) ? fleet : NULL;
}

static bool
is_served(const struct queue_fleet *fleet, const char *name)
{
    for (uint32_t i = 0; i < fleet->language_count; i++) {
        if (strcmp(fleet->languages[i].name, name) == 0)
            return fleet->languages[i].workers > 0;
    }
    return false;
}

const char *
fleet_unserved(const struct app *app, const char *ran, uint64_t ran_us)
{
    const struct queue_fleet *fleet = fleet_view(app);
    for (size_t i = 0; fleet && i < app->languages.count; i++) {
        const char *name = app->languages.list[i].name;
        bool older = ran_us > fleet->seen_us && strcmp(name, ran) == 0;
        if (!older && !is_served(fleet, name))
            return name;
    }
    return NULL;
}
