#include "tests/unit/api/fake_queue.h"

#include <stdio.h>
#include <string.h>

struct fake_queue fake_queue;

struct queue_request *__wrap_queue_submit(struct queue_client *client, const struct job *job,
                                          const struct queue_submit *how,
                                          queue_answer_fn *on_answer, void *context,
                                          struct err *err);
void __wrap_queue_request_cancel(struct queue_request *request);

struct queue_request *
__wrap_queue_submit(struct queue_client *client, const struct job *job,
                    const struct queue_submit *how, queue_answer_fn *on_answer, void *context,
                    struct err *err)
{
    (void)client;
    if (fake_queue.refuse.code != ERR_NONE) {
        *err = fake_queue.refuse;
        return NULL;
    }
    job_fini(&fake_queue.job);
    fake_queue.job = *job;
    if (bytes_copy(&fake_queue.job.code, job->code.data, job->code.size) < 0 ||
        bytes_copy(&fake_queue.job.input, job->input.data, job->input.size) < 0)
        return NULL;
    fake_queue.submitted++;
    fake_queue.how = *how;
    fake_queue.on_answer = on_answer;
    fake_queue.context = context;
    return (struct queue_request *)(void *)&fake_queue;
}

void
__wrap_queue_request_cancel(struct queue_request *request)
{
    (void)request;
    fake_queue.cancelled++;
    fake_queue.on_answer = NULL;
}

void
fake_queue_reset(void)
{
    job_fini(&fake_queue.job);
    memset(&fake_queue, 0, sizeof(fake_queue));
}

void
fake_queue_answer(const struct result *result, const struct err *err)
{
    queue_answer_fn *on_answer = fake_queue.on_answer;
    fake_queue.on_answer = NULL;
    on_answer(fake_queue.context, result, err);
}

void
fake_queue_answer_text(const char *text)
{
    struct result result = {.verdict = VERDICT_EXITED};
    snprintf(result.id, sizeof(result.id), "%s", fake_queue.job.id);
    (void)!bytes_copy(&result.out.kept, text, strlen(text));
    fake_queue_answer(&result, NULL);
    result_fini(&result);
}
