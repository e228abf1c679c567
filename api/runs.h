/*
 * The runs API: programs whose runs are remembered.
 *
 *     POST /v1/runs               makes one, and answers when it has ended, or at once
 *     GET  /v1/runs, /v1/runs/ID  what came of them
 *     POST /v1/runs/ID/cancel     ends one
 *     GET  /v1/runs/ID/events     what it does, as it does it
 *
 * Theory of operation. A run is a job of the queue with a record (run_records.h); the job has the
 * run's id without "run_". The process that was asked waits for the job (run.c) and gives the
 * record its end (run_end.c). When that process dies, the job goes on: its result stays in Redis,
 * and whoever comes upon it first, by a look at the run or by the sweep that each process makes
 * every second (run_sweep.c), ends the record instead. Ending it twice is harmless, the first
 * counts.
 */
#ifndef RETORT_RUNS_H
#define RETORT_RUNS_H

#include "api/exchange.h"

struct runs;

struct runs *runs_new(struct app *app, struct err *err);
/* After the connections to Redis are freed. NULL is nothing. */
void runs_free(struct runs *runs);

void runs_create(struct exchange *exchange);
void runs_get(struct exchange *exchange);
void runs_list(struct exchange *exchange);
void runs_cancel(struct exchange *exchange);
void runs_follow(struct exchange *exchange);

#endif
