#include "worker/lane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
lane_init(struct lane *lane, const struct scheduler_options *options,
          const struct scheduler_language *language, const struct lane_hooks *hooks,
          struct err *err)
{
    struct job_maxima *maxima = &lane->maxima;

    *maxima = options->maxima;
    if (language->no_files)
        maxima->files = 0;
    struct executor_options executor_options = {
        .command = language->command,
        .slots = language->slots,
        .spare = language->slots,
        .zygote_max_age_ms = options->zygote_max_age_ms,
        .zygote_max_jobs = options->zygote_max_jobs,
        .memory = {.input = execution_input_capacity(maxima->code_bytes, maxima->input_bytes,
                                                     maxima->files, maxima->files_bytes),
                   .output = maxima->limits.output_bytes,
                   .artifacts = job_memory_artifact_capacity(maxima->limits.artifacts,
                                                             maxima->limits.artifacts_total_bytes)},
        .accept = hooks->accept,
        .cgroups = options->cgroups,
        .most = maxima->limits,
        .on_state = hooks->on_state,
        .context = lane,
    };

    lane->slots = language->slots;
    lane->name = strdup(language->name);
    if (!lane->name)
        return err_set(err, ERR_SYSTEM, ENOMEM, "making the scheduler");
    lane->executor = executor_new(options->base, &executor_options, err);
    return lane->executor ? 0 : -1;
}

void
lane_fini(struct lane *lane)
{
    executor_free(lane->executor);
    free(lane->name);
    *lane = (struct lane){0};
}

uint32_t
lane_free_slots(const struct lane *lane)
{
    struct executor_stats stats;

    executor_stats(lane->executor, &stats);
    return stats.ready && lane->running < lane->slots ? lane->slots - lane->running : 0;
}
