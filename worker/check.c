#include "worker/check.h"

#include <errno.h>

#include <event2/event.h>

#include "worker/engine_choice.h"
#include "worker/executor.h"
#include "worker/isolation.h"

#define JOB_INPUT_BYTES 4096

static void
print_table(const struct layer_finding *findings, FILE *out)
{
    static const char *const words[] = {
        [LAYER_STATE_OFF] = "off", [LAYER_STATE_ON] = "on", [LAYER_STATE_UNKNOWN] = "unknown"};

    fprintf(out, "%-20s %-8s %s\n", "layer", "state", "why");
    for (int i = 0; i < LAYER_COUNT; i++) {
        const struct layer_row *row = layer_row((enum layer)i);
        fprintf(out, "%-20s %-8s %s\n", row->name, words[findings[i].state], findings[i].why);
        if (findings[i].state == LAYER_STATE_OFF)
            fprintf(out, "%-29s without it %s\n%-29s to have it: %s\n", "", row->without, "",
                    row->remedy);
    }
}

/* Starts what is looked at. */
static int
run_trial(struct event_base *base, const struct executor_options *options,
          const struct isolation_requirement *required, FILE *out, struct err *err)
{
    struct layer_finding findings[LAYER_COUNT];
    struct executor *executor = executor_new(base, options, err);

    if (!executor)
        return -1;
    int result = isolation_look(base, executor, findings, err);
    if (result == 0) {
        print_table(findings, out);
        result = isolation_judge(required, findings, err);
    }
    executor_free(executor);
    return result;
}

static int
print_engine(const struct config *config, const struct engine_choice *engine,
             struct cgroup_tree *cgroups, const struct isolation_requirement *required, FILE *out,
             struct err *err)
{
    const struct executor_options options = {
        .command = &engine->command,
        .slots = 1,
        .memory = {.input = JOB_INPUT_BYTES, .output = JOB_INPUT_BYTES},
        .cgroups = cgroups,
        .most = config_job_limits(config)};

    fprintf(out, "engine: %s, %s\n\n", engine->cli ? "cli" : "image", engine->source);
    struct event_base *base = event_base_new();
    int result = base ? run_trial(base, &options, required, out, err)
                      : err_set(err, ERR_SYSTEM, ENOMEM, "making the event loop");
    if (base)
        event_base_free(base);
    return result;
}

int
check_print(const struct config *config, FILE *out, struct err *err)
{
    struct isolation_requirement required;
    struct engines engines = {0};
    struct cgroup_tree cgroups;
    int result = 0;

    if (isolation_parse(&required, config->require_isolation, err) < 0 ||
        engines_choose(&engines, config, err) < 0)
        return -1;
    engine_lock_down(engines.list, engines.languages.count);
    cgroup_tree_open(&cgroups);
    for (size_t i = 0; result == 0 && i < engines.languages.count; i++) {
        if (engines.languages.count > 1)
            fprintf(out, "%slanguage: %s\n", i ? "\n" : "", engines.list[i].language);
        result = print_engine(config, &engines.list[i], &cgroups, &required, out, err);
    }
    cgroup_tree_close(&cgroups);
    engines_fini(&engines);
    return result;
}
