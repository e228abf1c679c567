#include "api/execute.h"

#include <string.h>

#include "api/app.h"
#include "api/execute_request.h"
#include "api/execute_response.h"
#include "api/surface.h"
#include "common/clock.h"

static int
parse(struct exchange *exchange, struct job *job, struct validation *validation, struct err *err)
{
    int rc = execute_request_parse(&exchange->request->body, exchange->app->config, job, validation,
                                   err);
    memcpy(exchange->job_name, job->id, sizeof(exchange->job_name));
    return rc;
}

static void
answer_result(struct exchange *exchange, const struct result *result)
{
    execute_response_put(result, exchange->job_name[0] ? exchange->job_name : result->id,
                         clock_monotonic_us() - exchange->started_us, &exchange->body);
    exchange_answer(exchange, HTTP_OK);
}

void
execute_handle(struct exchange *exchange)
{
    static const struct surface surface = {parse, answer_result, NULL};
    surface_run(exchange, &surface);
}
