/* The queue's client side as a mock: takes one job and answers it when the test says so. */
#ifndef RETORT_FAKE_QUEUE_H
#define RETORT_FAKE_QUEUE_H

#include "common/queue.h"

struct fake_queue {
    struct err refuse; /* code other than NONE: submit fails with it */
    unsigned submitted, cancelled;
    struct job job; /* copy of the last one */
    struct queue_submit how;
    queue_answer_fn *on_answer; /* NULL once answered or cancelled */
    void *context;
};

extern struct fake_queue fake_queue;

void fake_queue_reset(void);
/* A result that exited with 0 and printed text. */
void fake_queue_answer_text(const char *text);
void fake_queue_answer(const struct result *result, const struct err *err);

#endif
