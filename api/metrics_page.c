#include "api/metrics_page.h"

#include "api/app.h"
#include "common/metrics.h"

static void
put(void *context, const char *text, size_t size)
{
    buffer_append(context, text, size);
}

void
metrics_page(struct exchange *exchange)
{
    fleet_metrics_refresh(&exchange->app->fleet_metrics);
    exchange->content_type = METRICS_CONTENT_TYPE;
    metrics_print(put, &exchange->body);
    exchange_answer(exchange, HTTP_OK);
}
