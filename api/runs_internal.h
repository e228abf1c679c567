/* What the files of the runs API share. */
#ifndef RETORT_RUNS_INTERNAL_H
#define RETORT_RUNS_INTERNAL_H

#include <sys/queue.h>

#include <event2/event.h>

#include "api/app.h"
#include "api/exchange.h"
#include "api/run_records.h"
#include "api/runs.h"

struct run;
struct run_end;
struct run_watch;

LIST_HEAD(run_list, run);
LIST_HEAD(run_end_list, run_end);
LIST_HEAD(run_watch_list, run_watch);

struct runs {
    struct app *app;
    struct run_records records;
    struct run_list live;          /* whose jobs this process waits for */
    struct run_end_list ends;      /* on their way into Redis */
    struct run_watch_list watches; /* of clients that wait for something */
    struct event *tick;
    bool sweeping;
    unsigned followers; /* of events */
};

/* ---- run_end.c: a run's end, and its way into the record ---- */

/* Copies all. NULL: no memory. result's artifacts are kept. */
struct run_end *run_end_new(struct runs *runs, const char *owner, const struct run_facts *facts,
                            const struct result *result);
/*
 * Whether its artifacts are still being stored; then on_ready is called when they are, unless end
 * is freed before. Until then run_end_put() has nothing of them, and run_end_send() waits for it.
 */
bool run_end_wait(struct run_end *end, void (*on_ready)(void *context, struct run_end *end),
                  void *context);
/* Appends the whole object, for exchange. with_contents: of artifacts that are kept nowhere. */
void run_end_put(const struct run_end *end, const struct exchange *exchange,
                 const struct artifacts *with_contents, struct buffer *out);
/* Stores it, again and again if need be, and frees end in the end. */
void run_end_send(struct run_end *end);
/* Tries again what could not be sent. */
void run_end_retry(struct runs *runs);
void run_end_free(struct run_end *end);
/* The object of one that is found in its record, and has ended. */
void run_found_put(const struct exchange *exchange, const struct run_found *found,
                   struct buffer *out);
/*
 * Gives a run an end that found says that it has had: its result is there, or none will come.
 * False: it has none.
 */
bool run_settle(struct runs *runs, const char *owner, const struct run_found *found);

/* ---- run_watch.c: looks at a run until something is so ---- */

/*
 * found NULL and err NULL: the owner has no such run. err: not known now. events: entries, or NULL.
 * Returns whether to look again; otherwise the watch is freed afterwards.
 */
typedef bool run_look_fn(void *context, const struct run_found *found,
                         const struct redis_reply *events, const struct err *err);

struct run_watch_options {
    const char *id, *owner; /* copied */
    uint32_t interval_ms;
    const char *entry; /* borrowed for the watch's life, may change; NULL: no events */
    run_look_fn *on_look;
    void *context;
};
/* NULL and err: it cannot be looked at all. Not from within on_look. */
struct run_watch *run_watch_new(struct runs *runs, const struct run_watch_options *options,
                                struct err *err);
/* Looks again at once, not after the interval. From within on_look. */
void run_watch_hurry(struct run_watch *watch);
/* on_look is not called any more. Not from within it. */
void run_watch_free(struct run_watch *watch);
/* Answers a request about one run when it has ended (wait), or with what is known now. */
void run_watch_answer(struct exchange *exchange, const char *id, bool wait, int status);

/* ---- run.c ---- */

void run_free_all(struct runs *runs);

/* ---- run_sweep.c ---- */

void run_sweep(struct runs *runs);

#endif
