/*
 * Records of runs in Redis, by api/scripts/run.lua, which says what they are. All processes of a
 * service share them. Callbacks come from the loop, once, unless forgotten.
 */
#ifndef RETORT_RUN_RECORDS_H
#define RETORT_RUN_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "api/run_object.h"
#include "common/redis_script.h"

struct app;

struct run_records {
    struct app *app;
    struct redis_script script;
};

void run_records_init(struct run_records *records, struct app *app);
/* After the connection is freed. */
void run_records_fini(struct run_records *records);

/* What a script says of a run. Borrowed for the callback. */
struct run_found {
    bool ended;
    struct run_facts facts;
    /* Of one that has: */
    const char *before, *artifacts, *after;
    size_t before_size, artifacts_size, after_size;
    /* Of one that has not: of its job. state: "" when there is none. */
    const char *state;
    uint64_t claimed_us; /* since the epoch, as all times here; 0: never */
    int64_t answer_by_ms, now_ms;
    const char *result; /* as the worker has packed it, or NULL */
    size_t result_size;
};

/* false: reply is none. id is borrowed. */
bool run_found_read(struct run_found *found, const char *id, const struct redis_reply *reply);
bool run_found_is_running(const struct run_found *found);

/*
 * Each NULL: not sent, and err says why. on_reply gets what the script returns, and is not called
 * after redis_script_forget().
 */
struct redis_script_call *run_records_begin(struct run_records *records, const char *owner,
                                            const struct run_facts *facts,
                                            const struct buffer *const name_and_body[2],
                                            redis_reply_fn *on_reply, void *context,
                                            struct err *err);
struct redis_script_call *run_records_finish(struct run_records *records, const char *owner,
                                             const struct run_facts *facts,
                                             const struct run_text *text, redis_reply_fn *on_reply,
                                             void *context, struct err *err);
/* Nobody waits for this one. */
void run_records_drop(struct run_records *records, const char *id);
/* Events of one look, each of at most QUEUE_EVENT_BYTES of output. */
#define RUN_LOOK_EVENTS 4
/* entry: events behind this one are wanted; NULL: none. */
struct redis_script_call *run_records_look(struct run_records *records, const char *owner,
                                           const char *id, const char *entry,
                                           redis_reply_fn *on_reply, void *context,
                                           struct err *err);

struct run_page {
    const char *after; /* "": from the beginning */
    unsigned limit;
    bool newest_first;
};
struct redis_script_call *run_records_list(struct run_records *records, const char *owner,
                                           const struct run_page *page, redis_reply_fn *on_reply,
                                           void *context, struct err *err);
struct redis_script_call *run_records_sweep(struct run_records *records, unsigned count,
                                            redis_reply_fn *on_reply, void *context,
                                            struct err *err);

#endif
