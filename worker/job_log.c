#include "worker/job_log.h"

#include "common/log.h"
#include "worker/worker_metrics.h"

void
job_log_result(const struct queue_claim *claim, const struct result *result)
{
    bool failed = result->error != ERR_NONE;

    worker_metrics_job(claim->job.language, result);
    LOG(failed ? LOG_WARNING : LOG_INFO, "job", {"id", LOG_STR(result->id)},
        {"request_id", LOG_STR(claim->job.request_id[0] ? claim->job.request_id : NULL)},
        {"language", LOG_STR(claim->job.language)},
        {failed ? "error" : "verdict",
         LOG_STR(failed ? err_code_name(result->error) : verdict_name(result->verdict))},
        {"exit_code", LOG_INT(result->exit_code)}, {"detail", LOG_STR(result->detail)},
        {"attempts", LOG_UINT(claim->attempts)}, {"queue_us", LOG_UINT(result->queue_us)},
        {"exec_us", LOG_UINT(result->exec_us)}, {"cpu_us", LOG_UINT(result->cpu_us)},
        {"memory_peak_bytes", LOG_UINT(result->memory_peak_bytes)},
        {"stdout_bytes", LOG_UINT(result->out.kept.size + result->out.dropped_bytes)},
        {"stderr_bytes", LOG_UINT(result->err.kept.size + result->err.dropped_bytes)});
}
